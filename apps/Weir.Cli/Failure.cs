namespace Weir.Cli;

/// <summary>Errors as one sentence for people.</summary>
internal static class Failure
{
    /// <summary>The sentence for an error that can happen in any run; null for a bug, which keeps its stack trace.</summary>
    public static string? Describe(Exception error) => error switch
    {
        CommandException e => e.Message,
        RpcException e => Describe(e),
        IOException or UnauthorizedAccessException or InvalidDataException => error.Message,
        _ => null,
    };

    private static string Describe(RpcException error)
    {
        var detail = string.IsNullOrEmpty(error.Status.Detail) ? "The call failed" : error.Status.Detail.TrimEnd('.');
        return error.StatusCode == StatusCode.Unavailable && detail.StartsWith("cannot connect to ", StringComparison.Ordinal)
            ? $"{detail}. Is the server running? Start it with 'weir serve'."
            : $"{detail} ({error.StatusCode}).";
    }
}
