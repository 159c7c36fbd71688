using System.Security.Cryptography;

namespace Weir.Client.Tests;

public sealed class PartFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("weir-part").FullName;

    private string Destination => Path.Combine(_folder, "a.bin");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task What_an_earlier_run_left_is_taken_up()
    {
        await using (var first = new PartFile(Destination, "id"))
            first.Append([1, 2, 3]);

        await using var second = new PartFile(Destination, "id");
        await second.LoadAsync(TestContext.Current.CancellationToken);
        Assert.Equal(3, second.Length);
        second.Append([4]);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData([1, 2, 3, 4])), second.Sha256);
    }

    [Fact]
    public async Task The_part_of_another_file_is_not_taken_up()
    {
        await using (var first = new PartFile(Destination, "id"))
            first.Append([1, 2, 3]);

        await using var other = new PartFile(Destination, "another");
        await other.LoadAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, other.Length);
    }

    [Fact]
    public void An_id_from_the_server_is_no_path() =>
        Assert.Equal(_folder, Path.GetDirectoryName(PartFile.PathFor(Destination, "../../etc/passwd")));

    [Fact]
    public async Task Two_downloads_to_one_place_do_not_mix()
    {
        await using var first = new PartFile(Destination, "id");
        Assert.Throws<IOException>(() => new PartFile(Destination, "id"));
    }

    [Fact]
    public async Task Moving_replaces_nothing_unless_told()
    {
        await File.WriteAllTextAsync(Destination, "old", TestContext.Current.CancellationToken);
        await using (var part = new PartFile(Destination, "id"))
        {
            part.Append("new"u8);
            Assert.Throws<IOException>(() => part.MoveTo(Destination, overwrite: false));
            part.MoveTo(Destination, overwrite: true);
        }

        Assert.Equal("new", await File.ReadAllTextAsync(Destination, TestContext.Current.CancellationToken));
        Assert.Equal([Destination], Directory.GetFiles(_folder));
    }
}
