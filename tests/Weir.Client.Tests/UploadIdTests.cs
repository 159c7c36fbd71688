namespace Weir.Client.Tests;

public sealed class UploadIdTests
{
    private static readonly DateTime Changed = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);

    [Fact]
    public void The_same_file_in_the_same_state_has_the_same_id() =>
        Assert.Equal(UploadId.Of("/a/b", 7, Changed, "b"), UploadId.Of("/a/b", 7, Changed, "b"));

    [Fact]
    public void Path_size_change_and_label_each_make_another_id()
    {
        string[] ids =
        [
            UploadId.Of("/a/b", 7, Changed, "b"),
            UploadId.Of("/a/c", 7, Changed, "b"),
            UploadId.Of("/a/b", 8, Changed, "b"),
            UploadId.Of("/a/b", 7, Changed.AddTicks(1), "b"),
            UploadId.Of("/a/b", 7, Changed, "c"),
        ];
        Assert.Equal(ids.Length, ids.Distinct().Count());
    }

    [Fact]
    public void An_id_keeps_the_contracts_alphabet_and_length() => Assert.Matches("^[A-Za-z0-9._-]{1,64}$", UploadId.Of("/ü\n", 0, Changed, "x"));

    [Fact]
    public void A_relative_path_means_the_file_and_not_how_it_was_written()
    {
        var path = Path.GetTempFileName();
        try
        {
            var relative = Path.GetRelativePath(Environment.CurrentDirectory, path);
            Assert.Equal(UploadId.ForFile(path), UploadId.ForFile(relative));
        }
        finally
        {
            File.Delete(path);
        }
    }
}
