using System.CommandLine;
using Weir.Cli.Commands;
using Weir.Server.Hosting;

namespace Weir.Cli;

/// <summary>From arguments to an exit code: the commands, the options that all share, and what becomes of errors.</summary>
internal static class CommandLine
{
    private const string DefaultServer = "http://127.0.0.1:7070";
    private const string ServerVariable = "WEIR_SERVER";

    public static readonly Option<string> Server = new("--server")
    {
        Description = $"The server's address; else the environment's {ServerVariable}, else {DefaultServer}.",
        HelpName = "URL",
        Recursive = true,
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable(ServerVariable) is { Length: > 0 } url ? url : DefaultServer,
    };

    public static readonly Option<bool> Json = new("--json")
    {
        Description = "Write one JSON object a line.",
        Recursive = true,
    };

    public static async Task<int> RunAsync(string[] args, CommandOutput output, CancellationToken cancellationToken)
    {
        try
        {
            var parsed = Root(output).Parse(args);
            if (parsed.Errors.Count > 0)
                return output.Fail($"{UsageError(parsed)} '{PathOf(parsed.CommandResult.Command)} --help' shows how.", ExitCode.Usage);
            output.Json = parsed.GetValue(Json);
            var exitCode = await parsed.InvokeAsync(
                new InvocationConfiguration { Output = output.Out, Error = output.Error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null },
                cancellationToken);
            await output.FlushAsync();
            return exitCode;
        }
        catch (OutputClosedException)
        {
            return ExitCode.Ok; // the reader, say `head`, has what it wanted
        }
        catch (Exception e) when (cancellationToken.IsCancellationRequested && e is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled })
        {
            return ExitCode.Interrupted;
        }
        catch (Exception e) when (Failure.Describe(e) is { } sentence)
        {
            return output.Fail(sentence, e is CommandException { ExitCode: var code } ? code : ExitCode.Failed);
        }
    }

    /// <summary>A command's work, with a channel that is made when first asked for.</summary>
    public static void Does(this Command command, CommandOutput output, Func<ParseResult, CommandRun, Task<int>> work) =>
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var run = new CommandRun(parsed.GetRequiredValue(Server), output, cancellationToken);
            return await work(parsed, run);
        });

    // A word that nobody knows explains an error better than what is missing because of it.
    private static string UsageError(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        if (parsed.UnmatchedTokens is [var word, ..])
        {
            var meant = word == "help" ? "--help" : Nearest.Find(word, KnownWords(command));
            return $"\"{word}\" is no command, option or argument of '{PathOf(command)}'{(meant is null ? "." : $"; did you mean {meant}?")}";
        }

        return command.Subcommands.Count > 0
            ? $"'{PathOf(command)}' needs a command: {string.Join(", ", command.Subcommands.Select(sub => sub.Name))}."
            : parsed.Errors[0].Message.TrimEnd('.') + ".";
    }

    private static IEnumerable<string> KnownWords(Command command)
    {
        foreach (var sub in command.Subcommands)
            yield return sub.Name;
        for (var at = command; at is not null; at = at.Parents.OfType<Command>().FirstOrDefault())
        {
            foreach (var option in at.Options.Where(option => at == command || option.Recursive))
                yield return option.Name;
        }
    }

    /// <summary>A command as people write it.</summary>
    private static string PathOf(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{PathOf(parent)} {command.Name}" : "weir";

    private static RootCommand Root(CommandOutput output) => new(
        "Users, stocks, files and chat as streams, from the command line. Exit codes: 0 done, 1 failed, 2 wrong command line, 130 Ctrl-C, 143 SIGTERM.")
    {
        Server,
        Json,
        ServeCommand.Create(),
        UsersCommands.Create(output),
        StocksCommands.Create(output),
        FilesCommands.Create(output),
        ChatCommand.Create(output),
        VersionCommand.Create(output),
    };
}
