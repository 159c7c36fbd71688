using System.CommandLine;

namespace Weir.Cli.Commands;

/// <summary>Stands for <c>weir serve</c> in the help; Program starts the server before any command line is built.</summary>
internal static class ServeCommand
{
    public static Command Create() => new("serve", "Start the server: --urls URL, --data FOLDER, --insecure, or any setting as --Section:Name VALUE.")
    {
        new Argument<string[]>("args") { Description = "Passed on to the server.", Arity = ArgumentArity.ZeroOrMore },
    };
}
