using System.CommandLine;
using Weir.Cli.Samples;

namespace Weir.Cli.Commands;

/// <summary><c>weir users</c>.</summary>
internal static class UsersCommands
{
    public static Command Create(CommandOutput output) => new("users", "Import, list and make up users.") { Import(output), List(output), Sample(output) };

    private static Command Import(CommandOutput output)
    {
        var file = new Argument<string>("file") { Description = "The CSV file; its first line names the columns name and email, others do not matter." };
        var command = new Command(
            "import",
            "Create users from a CSV file, read as it is sent. Bad lines and rows that the server refuses are reported and do not stop the rest. "
            + "Running it again is safe: an e-mail that is there is skipped. The exit code is 1 when there were rows and none became a user.") { file };
        command.Does(output, (parsed, run) => new UserImportRun(run, parsed.GetRequiredValue(file)).RunAsync());
        return command;
    }

    private static Command List(CommandOutput output)
    {
        var limit = new Option<int>("--limit") { Description = "At most so many users; 0 is all of them.", HelpName = "N" };
        var after = new Option<int>("--after") { Description = "Only users with a greater id.", HelpName = "ID" };
        var prefix = new Option<string>("--email-prefix") { Description = "Only users whose e-mail begins so.", HelpName = "P", DefaultValueFactory = _ => "" };
        var page = new Option<int>("--page-size") { Description = "Rows that the server fetches at once.", HelpName = "N", DefaultValueFactory = _ => 1000 };
        limit.Within(0);
        after.Within(0);
        page.Within(1, 10_000);
        var command = new Command("list", "List users in the order of their ids, each as it arrives.") { limit, after, prefix, page };
        command.Does(output, async (parsed, run) =>
        {
            var request = new GetUserListRequest
            {
                Limit = parsed.GetValue(limit),
                AfterId = parsed.GetValue(after),
                EmailPrefix = parsed.GetValue(prefix),
                PageSize = parsed.GetValue(page),
            };
            var users = new UserService.Client(run.Channel).GetUserList(request, cancellationToken: run.CancellationToken);
            await output.WriteAllAsync(users, WriteUser, run.CancellationToken);
            return ExitCode.Ok;
        });
        return command;

        void WriteUser(User user) => output.Write(
            json =>
            {
                json.WriteNumber("id", user.Id);
                json.WriteString("name", user.Name);
                json.WriteString("email", user.Email);
            },
            () => $"{user.Id,8}  {CommandOutput.Clean(user.Name),-24}  {CommandOutput.Clean(user.Email)}");
    }

    private static Command Sample(CommandOutput output)
    {
        var count = new Argument<int>("count") { Description = "How many." };
        var file = new Option<string>("--out") { Description = "The file to write; else standard output.", HelpName = "FILE" };
        var seed = new Option<int>("--seed") { Description = "Other users for another seed.", HelpName = "S", DefaultValueFactory = _ => 1 };
        count.Within(0);
        seed.Within(int.MinValue);
        var command = new Command("sample", "Write a CSV file of made-up users, each with an e-mail of its own.") { count, file, seed };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var path = parsed.GetValue(file);
            if (path is not null)
                Usage.CheckWritable(path);
            await using var target = path is null ? null : new StreamWriter(path);
            var writer = target ?? output.Out;
            await writer.WriteAsync("name,email\n");
            foreach (var (name, email) in SampleUsers.Create(parsed.GetRequiredValue(count), parsed.GetValue(seed)))
            {
                cancellationToken.ThrowIfCancellationRequested();
                await writer.WriteAsync($"{name},{email}\n");
            }

            return ExitCode.Ok;
        });
        return command;
    }
}
