using Weir.Rpc;

namespace Weir.Interop.Client;

/// <summary>What cases expect of their peer.</summary>
internal static class Expect
{
    /// <exception cref="CaseFailedException">The two differ.</exception>
    public static void Equal<T>(T expected, T actual, string what)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
            throw new CaseFailedException($"{what}: {expected} expected, got {actual}");
    }

    /// <summary>The status with which a call fails.</summary>
    /// <exception cref="CaseFailedException">It ends with OK.</exception>
    public static async Task<Status> FailureAsync(Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (RpcException error)
        {
            return error.Status;
        }

        throw new CaseFailedException("the call: an error expected, got OK");
    }

    /// <exception cref="CaseFailedException">The call ends with another code.</exception>
    public static async Task CodeAsync(StatusCode expected, Func<Task> call) => Equal(expected, (await FailureAsync(call)).Code, "status");
}
