using System.Buffers;
using System.Text;
using System.Threading.Channels;
using Weir.Http2.Tests.Wire;

namespace Weir.Http2.Tests.Engine;

/// <summary>The owner of one stream under test: keeps what the engine tells it, in order, and waits with bounds.</summary>
internal sealed class TestStream : IHttp2StreamListener
{
    readonly Channel<(List<HeaderField> Fields, bool EndStream)> _headers = Channel.CreateUnbounded<(List<HeaderField>, bool)>();
    readonly TaskCompletionSource<Http2StreamAbort> _aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Channel<bool> _readable = Channel.CreateUnbounded<bool>();
    int _aborts;
    int _readables;

    public Http2Stream Stream { get; set; } = null!;

    /// <summary>The request's fields; null on a client.</summary>
    public List<HeaderField>? Request { get; init; }

    public bool RequestEnds { get; init; }

    /// <summary>How often OnAborted came.</summary>
    public int Aborts => Volatile.Read(ref _aborts);

    /// <summary>How often OnReadable came.</summary>
    public int Readables => Volatile.Read(ref _readables);

    /// <summary>Whether header blocks came that the test has not taken.</summary>
    public bool HasHeaders => _headers.Reader.TryPeek(out _);

    public void OnHeaders(ReadOnlySpan<HeaderField> headers, bool endStream) => _headers.Writer.TryWrite(([.. headers], endStream));

    public void OnReadable()
    {
        Interlocked.Increment(ref _readables);
        _readable.Writer.TryWrite(true);
    }

    public void OnAborted(Http2StreamAbort abort)
    {
        Interlocked.Increment(ref _aborts);
        _aborted.TrySetResult(abort);
        _readable.Writer.TryWrite(true);
    }

    public Task<Http2StreamAbort> AbortAsync() => _aborted.Task.Within("the stream's abort");

    public Task<(List<HeaderField> Fields, bool EndStream)> HeadersAsync() => _headers.Reader.ReadAsync().AsTask().Within("headers");

    /// <summary>Reads exactly so many octets and gives them back.</summary>
    public async Task<byte[]> ReadAsync(int count)
    {
        while (true)
        {
            if (count == 0)
                return [];
            if (Stream.TryRead(count, out ReadOnlySequence<byte> data))
            {
                byte[] octets = data.Slice(0, count).ToArray();
                Stream.Consume(count);
                return octets;
            }

            Assert.False(Stream.IsInputCompleted, $"the input ended before {count} octets came");
            Assert.Null(Stream.Abort);
            if (Stream.WaitForData(count))
                await _readable.Reader.ReadAsync().AsTask().Within($"{count} octets");
        }
    }

    /// <summary>Reads to the normal end of the input.</summary>
    public async Task<byte[]> ReadToEndAsync()
    {
        var all = new List<byte>();
        while (true)
        {
            bool ended = Stream.IsInputCompleted;
            if (Stream.TryRead(1, out ReadOnlySequence<byte> data))
            {
                all.AddRange(data.ToArray());
                Stream.Consume((int)data.Length);
            }
            else if (ended)
            {
                return [.. all];
            }
            else if (Stream.WaitForData(1))
            {
                await _readable.Reader.ReadAsync().AsTask().Within("data or its end");
            }

            Assert.Null(Stream.Abort);
        }
    }

    public Task SendAsync(byte[] octets) => SendUntilAsync(octets, CancellationToken.None);

    public Task SendUntilAsync(byte[] octets, CancellationToken cancellationToken) =>
        Stream.SendAsync(new Octets(octets), cancellationToken).AsTask();

    public Task SendAsync(string text) => SendAsync(Encoding.ASCII.GetBytes(text));

    /// <summary>Answers with headers only.</summary>
    public void Answer(string status = "200", bool endStream = true) => Stream.SendHeaders([new(":status", status)], endStream);
}

/// <summary>A payload of plain octets.</summary>
internal readonly struct Octets(ReadOnlyMemory<byte> octets) : IPayload
{
    public int Length => octets.Length;

    public void WriteTo(Span<byte> destination) => octets.Span.CopyTo(destination);
}

internal static class Bounded
{
    /// <summary>Waits as long as the scripted peer does; the failure says for what.</summary>
    public static async Task Within(this Task task, string awaited)
    {
        if (await Task.WhenAny(task, Task.Delay(WirePeer.Patience, TestContext.Current.CancellationToken)) != task)
            throw new TimeoutException($"Waited {WirePeer.Patience.TotalSeconds} s for {awaited}.");
        await task;
    }

    public static async Task<T> Within<T>(this Task<T> task, string awaited)
    {
        await ((Task)task).Within(awaited);
        return await task;
    }
}
