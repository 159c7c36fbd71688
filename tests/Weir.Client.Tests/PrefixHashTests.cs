using System.Security.Cryptography;
using FsCheck;
using FsCheck.Fluent;

namespace Weir.Client.Tests;

public sealed class PrefixHashTests
{
    [Fact]
    public void A_file_seen_in_any_pieces_with_any_steps_back_has_the_hash_of_the_whole() =>
        Prop.ForAll<byte[], int[]>((file, steps) =>
        {
            using var hash = new PrefixHash();
            var offset = 0;
            foreach (var step in steps)
            {
                // A negative step goes back, as an attempt does; a positive one shows the next piece.
                if (step < 0)
                    offset = Math.Max(0, offset + (step % 8));
                else
                {
                    var count = Math.Min(step % 8, file.Length - offset);
                    hash.Append(offset, file.AsSpan(offset, count));
                    offset += count;
                }
            }

            hash.Append(offset, file.AsSpan(offset));
            return hash.Length == file.Length && hash.Current() == Convert.ToHexStringLower(SHA256.HashData(file));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_gap_is_refused()
    {
        using var hash = new PrefixHash();
        hash.Append(0, [1, 2]);
        Assert.Throws<InvalidOperationException>(() => hash.Append(3, [4]));
    }

    [Fact]
    public async Task Catching_up_reads_only_what_was_not_seen()
    {
        var file = Enumerable.Range(0, 100).Select(i => (byte)i).ToArray();
        using var hash = new PrefixHash();
        hash.Append(0, file.AsSpan(0, 40));
        using var rest = new MemoryStream(file);
        await hash.CatchUpAsync(rest, 100, new byte[7], TestContext.Current.CancellationToken);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(file)), hash.Current());
    }

    [Fact]
    public async Task A_file_shorter_than_what_the_server_has_is_another_file()
    {
        using var hash = new PrefixHash();
        using var source = new MemoryStream(new byte[10]);
        await Assert.ThrowsAsync<InvalidDataException>(() => hash.CatchUpAsync(source, 11, new byte[4], TestContext.Current.CancellationToken));
    }
}
