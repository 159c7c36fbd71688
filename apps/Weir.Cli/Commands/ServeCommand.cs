using System.CommandLine;

namespace Weir.Cli.Commands;

/// <summary>Stands for <c>weir serve</c> in the help; Program starts the server before any command line is built.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var command = new Command("serve", "Start the server; 'weir serve --help' shows its options.")
        {
            new Argument<string[]>("args") { Description = "The server's options.", Arity = ArgumentArity.ZeroOrMore },
        };
        // Reached only behind an option of the client's commands, which would otherwise be dropped without a word.
        command.SetAction(int (_) => throw new CommandException("Write 'weir serve' first; the options of the other commands are not the server's.", ExitCode.Usage));
        return command;
    }
}
