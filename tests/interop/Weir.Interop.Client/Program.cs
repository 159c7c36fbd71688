using System.CommandLine;
using System.Globalization;
using Weir.Interop.Client;
using Weir.Rpc;

const int Failed = 1;
const int NotSupported = 2;
const string TestCa = "/usr/share/gocode/src/google.golang.org/grpc/testdata/ca.pem";

var host = new Option<string>("--server_host") { Description = "The server's name or address.", DefaultValueFactory = _ => "localhost" };
var port = new Option<int>("--server_port") { Description = "Its port.", DefaultValueFactory = _ => 10000 };
var testCase = new Option<string>("--test_case") { Description = "The case to run.", DefaultValueFactory = _ => "large_unary" };
var useTls = new Option<bool>("--use_tls") { Description = "Connect with TLS." };
var useTestCa = new Option<bool>("--use_test_ca") { Description = "Trust only the certificate authorities of --ca_file." };
var caFile = new Option<FileInfo>("--ca_file")
{
    Description = "Certificate authorities, PEM. Default: gRPC's own for tests, from Debian's golang-google-grpc-dev.",
    DefaultValueFactory = _ => new FileInfo(TestCa),
};
var hostOverride = new Option<string?>("--server_host_override") { Description = "The name that the server's certificate must have." };
var iterations = new Option<int>("--soak_iterations") { Description = "How many calls a soak makes.", DefaultValueFactory = _ => 10 };
var maxFailures = new Option<int>("--soak_max_failures") { Description = "How many of them may fail or be late." };
var maxLatency = new Option<int>("--soak_per_iteration_max_acceptable_latency_ms") { Description = "After that a call is late.", DefaultValueFactory = _ => 1000 };
var overall = new Option<int>("--soak_overall_timeout_seconds") { Description = "All calls must be done by then.", DefaultValueFactory = _ => 10 };
var between = new Option<int>("--soak_min_time_ms_between_rpcs") { Description = "From the begin of a call to the begin of the next." };
var requestSize = new Option<int>("--soak_request_size") { Description = "Bytes.", DefaultValueFactory = _ => Payloads.LargeRequestBytes };
var responseSize = new Option<int>("--soak_response_size") { Description = "Bytes.", DefaultValueFactory = _ => Payloads.LargeResponseBytes };
var threads = new Option<int>("--soak_num_threads") { Description = "How many calls a soak makes at a time; each has an even share of the iterations.", DefaultValueFactory = _ => 1 };
Between(port, 1, ushort.MaxValue);
Between(threads, 1, 1000);
foreach (var count in new[] { iterations, maxFailures, maxLatency, overall, between, requestSize, responseSize })
    Between(count, 0, int.MaxValue);
caFile.Validators.Add(result =>
{
    if (result.GetValue(useTls) && result.GetValue(useTestCa) && result.GetValue(caFile) is { Exists: false } missing)
        result.AddError($"--ca_file: there is no file {missing.FullName}.");
});
var command = new RootCommand("The client of gRPC's interop tests, on Weir. Exit code: 0 passed, 1 failed, 2 not supported.")
{
    host, port, testCase, useTls, useTestCa, caFile, hostOverride,
    iterations, maxFailures, maxLatency, overall, between, requestSize, responseSize, threads,
};
command.SetAction(async (arguments, stop) =>
{
    var target = new Target(
        arguments.GetRequiredValue(host),
        arguments.GetValue(port),
        arguments.GetValue(useTls),
        arguments.GetValue(useTestCa) ? arguments.GetValue(caFile) : null,
        arguments.GetValue(hostOverride));
    var soak = new Soak(
        arguments.GetValue(iterations),
        arguments.GetValue(maxFailures),
        TimeSpan.FromMilliseconds(arguments.GetValue(maxLatency)),
        TimeSpan.FromSeconds(arguments.GetValue(overall)),
        TimeSpan.FromMilliseconds(arguments.GetValue(between)),
        arguments.GetValue(requestSize),
        arguments.GetValue(responseSize),
        arguments.GetValue(threads));
    var cases = new Cases(soak, target.Connect);
    var name = arguments.GetRequiredValue(testCase);
    if (!cases.Names.Contains(name))
        return await EndAsync(Failed, $"no such case; these are known: {string.Join(", ", cases.Names)}");
    try
    {
        await using var channel = target.Connect();
        await cases.RunAsync(name, channel, stop);
        return 0;
    }
    catch (NotSupportedCaseException error)
    {
        return await EndAsync(NotSupported, error.Message);
    }
    catch (Exception error) when (error is CaseFailedException or RpcException)
    {
        return await EndAsync(Failed, error.Message);
    }

    async Task<int> EndAsync(int exitCode, string message)
    {
        await Console.Error.WriteLineAsync($"{name}: {message}");
        return exitCode;
    }
});
return await command.Parse(args).InvokeAsync();

static void Between(Option<int> option, int least, int most) => option.Validators.Add(result =>
{
    if (result.Tokens is [var token] && int.TryParse(token.Value, CultureInfo.InvariantCulture, out var value) && (value < least || value > most))
        result.AddError($"{option.Name} is {value}; it may be {least} to {most}.");
});
