using System.CommandLine;

namespace Weir.Cli.Commands;

/// <summary><c>weir files</c>.</summary>
internal static class FilesCommands
{
    private const string Resumes = " A broken transfer goes on by itself, and after Ctrl-C when the same command is run again.";

    public static Command Create(CommandOutput output) =>
        new("files", "Send, fetch, list and delete files of any size.") { Put(output), Get(output), List(output), Remove(output) };

    private static Command Put(CommandOutput output)
    {
        var files = new Argument<string[]>("file") { Description = "The files.", Arity = ArgumentArity.OneOrMore };
        var name = new Option<string>("--name") { Description = "The name on the server, for one file; else its own.", HelpName = "N" };
        name.NotEmpty();
        var command = new Command("put", "Send files." + Resumes) { files, name };
        command.Validators.Add(result =>
        {
            if (result.GetValue(name) is not null && result.GetValue(files) is { Length: > 1 } many)
                result.AddError($"--name is for one file, here are {many.Length}.");
        });
        command.Does(output, async (parsed, run) =>
        {
            foreach (var path in parsed.GetRequiredValue(files))
                await Transfers.PutAsync(run, path, parsed.GetValue(name));
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command Get(CommandOutput output)
    {
        var file = new Argument<string>("file") { Description = "A name, the newest file of which is meant, or an id." };
        var path = new Option<string>("--output", "-o") { Description = "Where to put it, a file or a folder; else here under its own name.", HelpName = "PATH" };
        var force = new Option<bool>("--force", "-f") { Description = "Replace a file that is there." };
        var command = new Command("get", "Fetch a file." + Resumes) { file, path, force };
        command.Does(output, async (parsed, run) =>
        {
            await Transfers.GetAsync(run, parsed.GetRequiredValue(file), parsed.GetValue(path), parsed.GetValue(force));
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command List(CommandOutput output)
    {
        var command = new Command("ls", "List the files, oldest first.");
        command.Does(output, async (_, run) =>
        {
            await output.WriteAllAsync(new FileTransfers(run.Channel).ListAsync(null, run.CancellationToken), WriteFile, run.CancellationToken);
            return ExitCode.Ok;
        });
        return command;

        void WriteFile(Weir.V1.FileInfo file) => output.Write(
            json =>
            {
                json.WriteString("file_id", file.FileId);
                json.WriteString("name", file.FileName);
                json.WriteNumber("size", file.Size);
                json.WriteString("sha256", file.Sha256);
                json.WriteNumber("created_at", file.CreatedAt);
            },
            () => $"{file.FileId}  {Amounts.Bytes(file.Size),10}  {Amounts.Instant(file.CreatedAt)}  {CommandOutput.Clean(file.FileName)}");
    }

    private static Command Remove(CommandOutput output)
    {
        var file = new Argument<string>("file") { Description = "A name that only one file has, or an id." };
        var command = new Command("rm", "Delete a file.") { file };
        command.Does(output, async (parsed, run) =>
        {
            var files = new FileTransfers(run.Channel);
            var wanted = parsed.GetRequiredValue(file);
            var found = await files.FindAsync(wanted, run.CancellationToken);
            if (found.Count > 1)
                throw new CommandException($"{found.Count} files are named \"{wanted}\"; say which id: {string.Join(", ", found.Take(10).Select(f => f.FileId))}.");
            if (found.Count == 0)
                throw Transfers.NoFile(wanted);
            await files.DeleteAsync(found[0].FileId, run.CancellationToken);
            output.Write(json => json.WriteString("deleted", found[0].FileId), () => $"deleted {CommandOutput.Clean(found[0].FileName)} ({found[0].FileId})");
            return ExitCode.Ok;
        });
        return command;
    }
}
