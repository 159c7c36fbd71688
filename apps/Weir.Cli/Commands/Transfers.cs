namespace Weir.Cli.Commands;

/// <summary>One file up or down, with its progress and its last word.</summary>
internal static class Transfers
{
    public static async Task PutAsync(CommandRun run, string path, string? name)
    {
        var output = run.Output;
        var elapsed = TimeSpan.Zero;
        Usage.CheckReadable(path);
        var done = await ResumableAsync(run, () => ProgressView.RunAsync(output, name ?? Path.GetFileName(path), Text, async view =>
        {
            var options = new UploadOptions { Name = name, Progress = To(view), Reconnect = run.Reconnect };
            var result = await new FileTransfers(run.Channel).UploadAsync(path, options, run.CancellationToken);
            elapsed = view.Elapsed;
            return result;
        }));
        output.Write(
            json =>
            {
                json.WriteString("file_id", done.FileId);
                json.WriteString("name", done.Name);
                json.WriteNumber("size", done.SizeBytes);
                json.WriteString("sha256", done.Sha256);
                json.WriteNumber("resumed_at", done.ResumedAtBytes);
                json.WriteNumber("seconds", Math.Round(elapsed.TotalSeconds, 3));
            },
            () => $"{done.FileId}  {CommandOutput.Clean(done.Name)}  {Summary(done.SizeBytes, done.ResumedAtBytes, elapsed)}  sha256 {done.Sha256}");
    }

    public static async Task GetAsync(CommandRun run, string wanted, string? path, bool force)
    {
        var output = run.Output;
        var files = new FileTransfers(run.Channel);
        var found = await files.FindAsync(wanted, run.CancellationToken);
        if (found.Count == 0)
            throw NoFile(wanted);
        var file = found[^1];
        var destination = Destination(file.FileName, path);
        var elapsed = TimeSpan.Zero;
        if (!force && Path.Exists(destination))
            throw new CommandException($"{destination} is there already; --force replaces it, -o PATH puts the file elsewhere.");
        Usage.CheckWritable(destination);
        var done = await ResumableAsync(run, () => ProgressView.RunAsync(output, Path.GetFileName(destination), Text, async view =>
        {
            var options = new DownloadOptions { Overwrite = force, Progress = To(view), Reconnect = run.Reconnect };
            var result = await files.DownloadAsync(file.FileId, destination, options, run.CancellationToken);
            elapsed = view.Elapsed;
            return result;
        }));
        output.Write(
            json =>
            {
                json.WriteString("file_id", done.FileId);
                json.WriteString("name", done.Name);
                json.WriteString("path", done.Path);
                json.WriteNumber("size", done.SizeBytes);
                json.WriteString("sha256", done.Sha256);
                json.WriteNumber("resumed_at", done.ResumedAtBytes);
                json.WriteNumber("seconds", Math.Round(elapsed.TotalSeconds, 3));
            },
            () => $"{destination}  {Summary(done.SizeBytes, done.ResumedAtBytes, elapsed)}  sha256 {done.Sha256}");
    }

    public static CommandException NoFile(string wanted) => new($"No file has the name or the id \"{wanted}\"; 'weir files ls' shows them.");

    /// <summary>Where a download goes. A name on the server was chosen by somebody else: only its last part counts, and never as a way to somewhere.</summary>
    public static string Destination(string fileName, string? path)
    {
        if (path is not null && !Directory.Exists(path))
            return path;
        var last = CommandOutput.Clean(fileName[(fileName.LastIndexOfAny(['/', '\\']) + 1)..]).Trim();
        if (last is "" or "." or "..")
            throw new CommandException($"The name \"{CommandOutput.Clean(fileName)}\" is no file name here; choose one with -o PATH.");
        return path is null ? last : Path.Combine(path, last);
    }

    private static async Task<T> ResumableAsync<T>(CommandRun run, Func<Task<T>> transfer)
    {
        try
        {
            return await transfer();
        }
        catch (Exception e) when (run.CancellationToken.IsCancellationRequested && e is OperationCanceledException or RpcException)
        {
            run.Output.Note("weir: interrupted; run the same command again to go on where it stopped.");
            throw new OperationCanceledException(e.Message, e, run.CancellationToken);
        }
    }

    private static Immediate<TransferProgress> To(ProgressView view) => new(progress => view.Report(progress.Bytes, progress.TotalBytes));

    private static string Text(Meter meter) =>
        $"{Amounts.Bytes(meter.Done)} of {Amounts.Bytes(meter.Total)}, {Amounts.Bytes(meter.PerSecond)}/s, {Amounts.Clock(meter.Left)} left";

    private static string Summary(long size, long resumedAt, TimeSpan elapsed)
    {
        var resumed = resumedAt == 0 ? "" : resumedAt == size ? " (was complete)" : $" (resumed at {Amounts.Bytes(resumedAt)})";
        return $"{Amounts.Bytes(size)} in {elapsed.TotalSeconds:0.0} s{resumed}";
    }
}
