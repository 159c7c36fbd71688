using Weir.Cli.Csv;
using Weir.V1;

namespace Weir.Cli.Tests;

public sealed class UserCsvTests
{
    private readonly List<BadLine> _bad = [];

    [Fact]
    public async Task Columns_are_found_by_name_in_any_order_and_others_do_not_matter()
    {
        var users = await ReadAsync("id,Email,age,NAME\n7,a@x.org,30,Ada\n8,b@x.org,31,\"Lovelace, B\"\n");
        Assert.Equal(["Ada a@x.org", "Lovelace, B b@x.org"], users.Select(u => $"{u.Name} {u.Email}"));
        Assert.Empty(_bad);
    }

    [Fact]
    public async Task Bad_lines_are_told_with_their_number_and_do_not_stop_the_rest()
    {
        var users = await ReadAsync("name,email\nAda,a@x.org\nalone\nBo\"b,b@x.org\n\nCy,c@x.org\n");
        Assert.Equal(["Ada", "Cy"], users.Select(u => u.Name));
        Assert.Equal([3, 4], _bad.Select(b => b.Line));
    }

    [Fact]
    public async Task A_row_is_found_again_by_its_position()
    {
        var csv = new UserCsv(new StringReader("name,email\nA,a@x\nbad\n\nB,b@x\n\"C\nc\",c@x\nD,d@x\n"), _bad.Add);
        var count = 0;
        await foreach (var _ in csv.ReadAllAsync(TestContext.Current.CancellationToken))
            count++;
        Assert.Equal(4, count);
        Assert.Equal([2L, 5L, 7L, 8L], Enumerable.Range(1, 4).Select(i => csv.Lines.Find(i)!.Value));
        Assert.Null(csv.Lines.Find(5));
        Assert.Null(csv.Lines.Find(0));
    }

    [Theory]
    [InlineData("id,mail\n1,a@x.org\n", "no column \"name\"")]
    [InlineData("name,mail\nA,a@x.org\n", "no column \"email\"")]
    public async Task A_header_without_the_columns_is_refused(string text, string reason) =>
        Assert.Contains(reason, (await Assert.ThrowsAsync<CommandException>(() => ReadAsync(text))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_quote_that_is_never_closed_does_not_take_the_file_into_memory()
    {
        var text = "name,email\n\"Ada,a@x.org\n" + string.Concat(Enumerable.Repeat("B,b@x.org\n", 20_000));
        Assert.Contains("quote", (await Assert.ThrowsAsync<CommandException>(() => ReadAsync(text))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_file_has_no_users() => Assert.Empty(await ReadAsync(""));

    [Fact]
    public void A_full_line_map_says_that_it_does_not_know()
    {
        var map = new LineMap(maxEntries: 2);
        map.Add(1, 2);
        map.Add(2, 4);
        map.Add(3, 7);
        map.Add(4, 8);
        Assert.Equal([2L, 4L, null, null], new[] { map.Find(1), map.Find(2), map.Find(3), map.Find(4) });
    }

    private async Task<List<User>> ReadAsync(string text)
    {
        var users = new List<User>();
        await foreach (var user in new UserCsv(new StringReader(text), _bad.Add).ReadAllAsync(TestContext.Current.CancellationToken))
            users.Add(user);
        return users;
    }
}
