using System.Text.Json;
using Weir.Cli.Csv;

namespace Weir.Cli.Commands;

/// <summary>One <c>weir users import</c>.</summary>
internal sealed class UserImportRun(CommandRun run, string path)
{
    private const int ShownErrors = 10;

    private readonly List<BadLine> _firstBad = [];

    public async Task<int> RunAsync()
    {
        var output = run.Output;
        Usage.CheckReadable(path);
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0, FileOptions.SequentialScan);
        using var text = new StreamReader(file, bufferSize: 64 * 1024);
        var csv = new UserCsv(text, bad =>
        {
            if (_firstBad.Count < ShownErrors)
                _firstBad.Add(bad);
        });
        var elapsed = TimeSpan.Zero;
        var response = await ProgressView.RunAsync(output, path, Text, async view =>
        {
            // A pipe has no length; its progress is a count alone.
            var length = file.CanSeek ? file.Length : 0;
            var progress = new Immediate<long>(sent =>
            {
                _sent = sent;
                view.Report(file.CanSeek ? file.Position : sent, length);
            });
            var answer = await new UserImport(run.Channel).RunAsync(csv.ReadAllAsync(run.CancellationToken), progress, run.CancellationToken);
            elapsed = view.Elapsed;
            return answer;
        });

        output.Write(json => WriteJson(json, response, csv, elapsed), () => Summary(response, csv, elapsed));
        if (!output.Json)
            WriteErrors(response, csv);
        return response.Created == 0 && response.Skipped + csv.BadLines > 0 ? ExitCode.Failed : ExitCode.Ok;
    }

    private long _sent;

    private string Text(Meter meter) =>
        $"{Amounts.Count(_sent)} users, {Amounts.Count((long)(_sent / Math.Max(0.1, meter.Elapsed.TotalSeconds)))}/s, {Amounts.Clock(meter.Left)} left";

    private static string Summary(CreateUsersResponse response, UserCsv csv, TimeSpan elapsed) =>
        $"created {Amounts.Count(response.Created)}, skipped {Amounts.Count(response.Skipped + csv.BadLines)} in {elapsed.TotalSeconds:0.00} s";

    private void WriteErrors(CreateUsersResponse response, UserCsv csv)
    {
        foreach (var bad in _firstBad)
            run.Output.Note($"  line {bad.Line}: {bad.Reason}");
        foreach (var error in response.Errors.Take(ShownErrors))
            run.Output.Note($"  {Place(csv, error.Position)}: {CommandOutput.Clean(error.Reason)} ({CommandOutput.Clean(error.Email)})");
        var untold = response.Skipped + csv.BadLines - _firstBad.Count - Math.Min(ShownErrors, response.Errors.Count);
        if (untold > 0)
            run.Output.Note($"  and {Amounts.Count(untold)} more");
    }

    private void WriteJson(Utf8JsonWriter json, CreateUsersResponse response, UserCsv csv, TimeSpan elapsed)
    {
        json.WriteNumber("created", response.Created);
        json.WriteNumber("skipped", response.Skipped + csv.BadLines);
        json.WriteNumber("seconds", Math.Round(elapsed.TotalSeconds, 3));
        json.WriteStartArray("errors");
        foreach (var bad in _firstBad)
            WriteError(bad.Line, bad.Reason);
        foreach (var error in response.Errors)
            WriteError(csv.Lines.Find(error.Position), error.Reason);
        json.WriteEndArray();

        void WriteError(long? line, string reason)
        {
            json.WriteStartObject();
            if (line is { } number)
                json.WriteNumber("line", number);
            json.WriteString("reason", reason);
            json.WriteEndObject();
        }
    }

    private static string Place(UserCsv csv, long position) => csv.Lines.Find(position) is { } line ? $"line {line}" : $"row {position}";
}
