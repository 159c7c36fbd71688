namespace Weir.Samples.Tests;

/// <summary>Each sample runs, ends well and prints what it is there to show.</summary>
public sealed class SampleTests
{
    private static readonly Dictionary<string, string[]> Outputs = new()
    {
        ["Unary"] = ["Hello, Ada!"],
        ["ServerStreaming"] = ["3", "2", "1", "the loop's end is the stream's end", "the handler was cancelled"],
        ["ClientStreaming"] = ["3 values, 5 on average"],
        ["DuplexStreaming"] = ["total 5", "total 25", "total 125", "both directions have ended"],
        ["Deadlines"] = ["client: Cancelled", "server: stopped by the client", "client: DeadlineExceeded", "server: stopped at the deadline",
            "client of the desk: DeadlineExceeded", "server behind the desk: stopped at the deadline",
            "client of the shop: DeadlineExceeded", "server behind the shop: stopped at the deadline"],
        ["CallMetadata"] = ["header: weir", "Hello, Ada of acme with a token of 3 bytes!", "trailer: 7"],
        ["DependencyInjection"] = ["Good morning, Ada! You are visitor 1."],
        ["Errors"] = ["not enough money; there are 300 cents", "Internal"],
        ["Interceptors"] = ["without a token: Unauthenticated", "with a token: Hello, Ada!"],
        ["Retries"] = ["Hello, Ada, at the 3rd attempt!"],
        ["InProcess"] = ["Hello, Ada! You call from in-process."],
        ["UnixSocket"] = ["Hello, Ada! You call from unix."],
        ["Tls"] =
        [
            "Hello, you with CN=Ada! (served with CN=blue.test, number 1)",
            "Hello, you with CN=Ada! (served with CN=green.test, number 2)",
            "Hello, you with CN=Grace! (served with CN=green.test, number 5)",
        ],
        ["Health"] = ["samples.Greeter serves", "samples.Greeter does not serve: its database is down"],
    };

    public static IEnumerable<TheoryDataRow<string>> Names => Sample.All.Select(sample => new TheoryDataRow<string>(sample.Name));

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Sample_ends_well_and_prints_what_it_shows(string name) => Assert.Equal(Outputs[name], await new Sample(name).RunAsync());
}
