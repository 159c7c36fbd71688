using System.Text;

namespace Weir.AspNetCore.Tests;

/// <summary>A client's side of a connection, octet by octet; every wait ends after 60 s.</summary>
internal static class Wire
{
    /// <summary>Ends a wait for what never comes; no test that passes takes so long, however slow the machine.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public const string Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    public const string Get = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    public static Task<T> Soon<T>(this Task<T> task) => task.WaitAsync(Patience, TestContext.Current.CancellationToken);

    public static Task Soon(this Task task) => task.WaitAsync(Patience, TestContext.Current.CancellationToken);

    public static async Task SendAsync(this Stream stream, string text)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes(text), TestContext.Current.CancellationToken);
        await stream.FlushAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Reads so many octets, or fewer where the connection ends.</summary>
    public static async Task<string> ReceiveAsync(this Stream stream, int count)
    {
        var buffer = new byte[count];
        var received = await stream.ReadAtLeastAsync(buffer, count, throwOnEndOfStream: false, TestContext.Current.CancellationToken).AsTask().Soon();
        return Encoding.ASCII.GetString(buffer, 0, received);
    }

    public static async Task<string> ReceiveAllAsync(this Stream stream)
    {
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken).Soon();
    }
}
