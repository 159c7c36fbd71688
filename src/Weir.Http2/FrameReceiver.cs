using System.Buffers.Binary;

namespace Weir.Http2;

/// <summary>The receiving half of a connection: checks each frame against RFC 9113, keeps the peer's budgets, and passes what is good to its stream.
/// Owned by the read loop. Stream errors are answered here; connection errors are thrown.</summary>
internal sealed class FrameReceiver : IFrameSink
{
    private readonly Http2Connection _connection;
    private readonly FrameParser _parser;
    private readonly HeaderBlockAssembler _headers;
    private readonly ConnectionFrames _connectionFrames;
    private readonly AbuseBudget _resets;
    private readonly AbuseBudget _emptyFrames;

    // Streams whose armed wait is over; they are told once all that one read brought is parsed, so that a reader wakes once for it.
    private readonly List<Http2Stream> _readable = [];

    private int _prefaceLeft;
    private ServerGreeting? _greeting; // of a server, until it has shown that it may speak HTTP/2

    // The DATA frame that is coming in: its stream (null when nobody wants it) and how much of it was buffered for a reader.
    private FrameHeader _dataHeader;
    private bool _dataIsEmpty; // but for padding
    private Http2Stream? _dataStream;
    private int _dataBuffered;

    public FrameReceiver(Http2Connection connection, Http2Options options)
    {
        _connection = connection;
        _parser = new FrameParser(this, options.MaxFrameBytes);
        _headers = new HeaderBlockAssembler(options);
        _resets = new AbuseBudget(options.TimeProvider, "RST_STREAM frames", options.MaxResetsPerSecond);
        _emptyFrames = new AbuseBudget(options.TimeProvider, "frames without effect", options.MaxEmptyFramesPerSecond);
        _connectionFrames = new ConnectionFrames(connection, options, _headers, _emptyFrames);
        _prefaceLeft = connection.IsServer ? Http2Protocol.ClientPreface.Length : 0;
        _greeting = connection.IsServer ? null : new ServerGreeting();
    }

    /// <summary>Takes octets as they came from the transport.</summary>
    /// <exception cref="Http2ConnectionException">The peer broke the protocol.</exception>
    public void Feed(ReadOnlySpan<byte> input)
    {
        if (_prefaceLeft > 0)
        {
            var take = Math.Min(_prefaceLeft, input.Length);
            if (!input[..take].SequenceEqual(Http2Protocol.ClientPreface.Slice(Http2Protocol.ClientPreface.Length - _prefaceLeft, take)))
            {
                throw new Http2ConnectionException(Http2ErrorCode.ProtocolError, "The connection does not begin with HTTP/2's preface (RFC 9113 §3.4).");
            }

            _prefaceLeft -= take;
            input = input[take..];
        }

        if (_greeting is { } greeting)
        {
            if (!greeting.TryJudge(ref input))
            {
                return;
            }

            _greeting = null;
            _parser.Feed(greeting.Kept);
        }

        if (!input.IsEmpty)
        {
            _parser.Feed(input);
        }
    }

    /// <summary>The peer sends nothing more.</summary>
    /// <exception cref="Http2ConnectionException">What it sent was not HTTP/2.</exception>
    public void End() => _greeting?.End();

    /// <summary>Tells the streams that became readable; called after each read.</summary>
    public void NotifyReadable()
    {
        _connection.KeepAlive.CountRead();
        foreach (var stream in _readable)
        {
            if (stream.Input.TryTakeSignal())
            {
                stream.Listener!.OnReadable();
            }
        }

        _readable.Clear();
    }

    public void Release() => _parser.Release();

    void IFrameSink.OnDataStart(in FrameHeader header)
    {
        FrameRules.CheckOrder(header, _connectionFrames.SettingsSeen, _headers.OpenStreamId);
        FrameRules.CheckOnStream(header);
        (_dataHeader, _dataBuffered, _dataIsEmpty, _dataStream) = (header, 0, true, null);
        Http2Stream? reset = null;
        string? wrong = null;
        var code = Http2ErrorCode.StreamClosed;
        bool announced;
        lock (_connection.Gate)
        {
            _connection.Frames.CheckQueuedAnswers(); // WINDOW_UPDATE among them, which a reader of a stream queues
            if (!_connection.Credit.TryReceive(header.Length, out announced))
            {
                throw new Http2ConnectionException(Http2ErrorCode.FlowControlError, $"DATA of {header.Length} octets exceeds the connection's window.");
            }

            var stream = _connection.Streams.Find(header.StreamId);
            if (stream is null)
            {
                OnClosedStream(header);
            }
            else if (stream.RemoteEnded)
            {
                (reset, wrong) = (stream, "DATA came after END_STREAM.");
            }
            else if (!_connection.IsServer && !stream.HasHeaders)
            {
                (reset, wrong, code) = (stream, "DATA came before the response's headers.", Http2ErrorCode.ProtocolError);
            }
            else if (!stream.ReceiveWindow.TryReceive(header.Length))
            {
                (reset, wrong, code) = (stream, $"DATA of {header.Length} octets exceeds the stream's window.", Http2ErrorCode.FlowControlError);
            }
            else
            {
                _dataStream = stream;
            }
        }

        if (announced)
        {
            _connection.WakeFlush();
        }

        if (reset is not null)
        {
            Reset(reset, code, wrong!);
        }

        if (_dataStream is null)
        {
            _emptyFrames.Spend();
        }
    }

    void IFrameSink.OnData(ReadOnlySpan<byte> data)
    {
        if (_dataStream is not { } stream)
        {
            return;
        }

        _dataIsEmpty &= data.IsEmpty;
        if (stream.PromisedBytes >= 0 && (stream.PromisedBytes -= data.Length) < 0)
        {
            ResetMalformed(stream, "The body is longer than its content-length.");
            _dataStream = null;
            return;
        }

        if (stream.Input.TryAppend(data, out var credit, out var endsWait))
        {
            _dataBuffered += data.Length - credit;
        }

        if (endsWait)
        {
            _readable.Add(stream);
        }
    }

    void IFrameSink.OnDataEnd()
    {
        var stream = _dataStream;
        _dataStream = null;

        // What no reader will consume, padding above all, or one waits for counts as consumed at once.
        if (_dataHeader.Length > _dataBuffered)
        {
            _connection.Consume(stream, _dataHeader.Length - _dataBuffered);
        }

        if (stream is not null && _dataHeader.Has(FrameFlags.EndStream))
        {
            EndInput(stream);
        }
        else if (stream is not null && _dataIsEmpty)
        {
            _emptyFrames.Spend();
        }
    }

    void IFrameSink.OnFrame(in FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (!_connectionFrames.SettingsSeen && !_connection.IsServer)
        {
            ServerGreeting.CheckFirstFrame(header, payload);
        }

        FrameRules.CheckOrder(header, _connectionFrames.SettingsSeen, _headers.OpenStreamId);
        switch (header.Type)
        {
            case FrameType.Headers:
                FrameRules.CheckOnStream(header);
                if (_headers.Begin(header, payload))
                {
                    OnHeaderBlock(header.StreamId);
                }

                break;
            case FrameType.Continuation:
                if (_headers.Continue(header, payload))
                {
                    OnHeaderBlock(header.StreamId);
                }

                break;
            case FrameType.Priority:
                OnPriority(header);
                break;
            case FrameType.RstStream:
                OnRstStream(header, payload);
                break;
            case FrameType.Settings:
                _connectionFrames.OnSettings(header, payload);
                break;
            case FrameType.PushPromise:
                throw new Http2ConnectionException(Http2ErrorCode.ProtocolError, "PUSH_PROMISE came; server push is off (RFC 9113 §8.4).");
            case FrameType.Ping:
                _connectionFrames.OnPing(header, payload);
                break;
            case FrameType.GoAway:
                _connectionFrames.OnGoAway(header, payload);
                break;
            case FrameType.WindowUpdate:
                OnWindowUpdate(header, payload);
                break;
            default:
                _emptyFrames.Spend(); // §5.5: unknown types are ignored
                break;
        }
    }

    // Under the lock, of a stream that is not open. Without server push, even identifiers are idle for ever (§5.1.1).
    private bool IsIdle(int streamId) => (streamId & 1) == 0 || streamId > _connection.Streams.LastStreamId;

    // A stream that is not open: idle (a connection error, §5.1), or closed, where the way it closed decides.
    private void OnClosedStream(in FrameHeader header)
    {
        if (IsIdle(header.StreamId))
        {
            throw new Http2ConnectionException(Http2ErrorCode.ProtocolError, $"{header.Type} came on stream {header.StreamId}, which was never opened.");
        }

        switch (_connection.Streams.HowEnded(header.StreamId))
        {
            case StreamEnd.Normal when _connection.IsServer:
                throw new Http2ConnectionException(Http2ErrorCode.StreamClosed, $"{header.Type} came on stream {header.StreamId} after its END_STREAM.");
            case StreamEnd.Skipped:
                throw new Http2ConnectionException(
                    Http2ErrorCode.ProtocolError, $"{header.Type} came on stream {header.StreamId}, which a later stream has closed unopened (RFC 9113 §5.1.1).");
            case StreamEnd.LocalReset:
                break; // sent before the peer saw the reset: discarded (§5.4.2)
            default:
                // Of a server also after END_STREAM, where a connection error is allowed (§5.1) and hits the wrong ones: gRPC's C core under load sends
                // the trailers of a call whose deadline passes twice, or its DATA behind them, and the other calls of the connection have no part in that.
                _connection.AppendResetAnswer(header.StreamId, Http2ErrorCode.StreamClosed);
                break;
        }
    }

    private void OnHeaderBlock(int streamId)
    {
        Http2Stream? stream;
        lock (_connection.Gate)
        {
            stream = _connection.Streams.Find(streamId);
        }

        if (stream is not null)
        {
            OnLaterHeaders(stream);
        }
        else if (_connection.IsServer && (streamId & 1) == 1 && streamId > _connection.Streams.LastStreamId)
        {
            OnRequest(streamId);
        }
        else
        {
            lock (_connection.Gate)
            {
                OnClosedStream(new FrameHeader(0, FrameType.Headers, FrameFlags.None, streamId));
            }

            _emptyFrames.Spend();
        }
    }

    private void OnRequest(int streamId)
    {
        var fields = _headers.Fields;
        var promised = -1L;
        Http2ErrorCode? error = null;
        if (_headers.IsTooLarge)
        {
            error = Http2ErrorCode.EnhanceYourCalm;
        }
        else if (HeaderRules.CheckRequest(fields) is not null
            || HeaderRules.CheckContentLength(fields, out promised) is not null
            || (_headers.EndStream && promised > 0))
        {
            error = Http2ErrorCode.ProtocolError;
        }

        var stream = _connection.AcceptStream(streamId, error);
        if (stream is null)
        {
            _emptyFrames.Spend();
            return;
        }

        stream.PromisedBytes = promised;
        if (_headers.EndStream)
        {
            stream.Input.Complete();
        }

        _connection.Attach(stream, _connection.ServerHandler!.OnRequest(stream, fields, _headers.EndStream));
        if (_headers.EndStream)
        {
            MarkEnded(stream);
        }
    }

    private void OnLaterHeaders(Http2Stream stream)
    {
        var fields = _headers.Fields;
        if (stream.RemoteEnded)
        {
            Reset(stream, Http2ErrorCode.StreamClosed, "HEADERS came after END_STREAM.");
            return;
        }

        if (_headers.IsTooLarge)
        {
            Reset(
                stream,
                Http2ErrorCode.EnhanceYourCalm,
                $"The header list exceeds {_connection.Options.MaxHeaderListBytes} octets (MaxHeaderListBytes).");
            return;
        }

        var isTrailers = _connection.IsServer || stream.HasHeaders;
        var status = 0;
        var promised = -1L;
        var wrong = isTrailers
            ? HeaderRules.CheckTrailers(fields)
            : HeaderRules.CheckResponse(fields, out status) ?? HeaderRules.CheckContentLength(fields, out promised);
        if (wrong is null && isTrailers && !_headers.EndStream)
        {
            wrong = "trailers without END_STREAM";
        }

        if (wrong is null && status is >= 100 and < 200 && _headers.EndStream)
        {
            wrong = $"the informational response {status} ends the stream";
        }

        if (wrong is not null)
        {
            ResetMalformed(stream, $"The peer sent malformed headers: {wrong}.");
            return;
        }

        if (status is >= 100 and < 200)
        {
            return; // an informational response: the final one follows (§8.1)
        }

        if (!isTrailers)
        {
            stream.HasHeaders = true;
            stream.PromisedBytes = promised;
        }

        if (_headers.EndStream && stream.PromisedBytes > 0)
        {
            ResetShortBody(stream);
            return;
        }

        stream.Listener!.OnHeaders(fields, _headers.EndStream);
        if (_headers.EndStream)
        {
            EndInput(stream);
        }
    }

    private void EndInput(Http2Stream stream)
    {
        if (stream.PromisedBytes > 0)
        {
            ResetShortBody(stream);
            return;
        }

        if (stream.Input.Complete())
        {
            _readable.Add(stream);
        }

        MarkEnded(stream);
    }

    private void MarkEnded(Http2Stream stream)
    {
        lock (_connection.Gate)
        {
            if (stream.Abort is null)
            {
                stream.MarkRemoteEnded();
            }
        }
    }

    private void ResetShortBody(Http2Stream stream) =>
        ResetMalformed(stream, $"The body ended {stream.PromisedBytes} octets before its content-length.");

    private void ResetMalformed(Http2Stream stream, string message) => Reset(stream, Http2ErrorCode.ProtocolError, message);

    // A reset that the peer provokes costs this side as much as one that it sends, so both draw on one budget.
    private void Reset(Http2Stream stream, Http2ErrorCode errorCode, string message)
    {
        _connection.ResetStream(stream, new Http2StreamAbort(Http2AbortOrigin.Local, errorCode, message));
        lock (_connection.Gate)
        {
            _connection.Frames.CountAnswer();
        }

        _resets.Spend();
    }

    private void OnPriority(in FrameHeader header)
    {
        FrameRules.CheckOnStream(header);
        _emptyFrames.Spend();
        if (header.Length == 5)
        {
            return;
        }

        Http2Stream? stream;
        lock (_connection.Gate)
        {
            stream = _connection.Streams.Find(header.StreamId);
            if (stream is null && IsIdle(header.StreamId))
            {
                FrameRules.CheckLength(header, 5); // RST_STREAM may not be sent on an idle stream (§6.4), so the connection takes the error
            }
        }

        if (stream is not null)
        {
            Reset(stream, Http2ErrorCode.FrameSizeError, $"PRIORITY came with {header.Length} octets; it has 5."); // §6.3: a stream error
        }
    }

    private void OnRstStream(in FrameHeader header, ReadOnlySpan<byte> payload)
    {
        FrameRules.CheckOnStream(header);
        FrameRules.CheckLength(header, 4);
        _resets.Spend();
        var code = (Http2ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(payload);
        Http2Stream? stream;
        lock (_connection.Gate)
        {
            stream = _connection.Streams.Find(header.StreamId);
            if (stream is null && IsIdle(header.StreamId) && !MayBeCancelledUnopened(header.StreamId))
            {
                throw new Http2ConnectionException(Http2ErrorCode.ProtocolError, $"RST_STREAM came on stream {header.StreamId}, which was never opened.");
            }
        }

        if (stream is not null)
        {
            _connection.ResetStream(
                stream,
                new Http2StreamAbort(Http2AbortOrigin.PeerReset, code, $"The peer reset the stream: {code}.", code == Http2ErrorCode.RefusedStream));
        }
    }

    // RFC 9113 §6.4 makes it a connection error, and on a connection's first stream it is one here. But gRPC's C core (C++, Python, Ruby, PHP) resets
    // a call that is cancelled after it has a stream and before its HEADERS are written, and the error would end all its other calls.
    private bool MayBeCancelledUnopened(int streamId) => _connection.IsServer && (streamId & 1) == 1 && _connection.Streams.LastStreamId > 0;

    private void OnWindowUpdate(in FrameHeader header, ReadOnlySpan<byte> payload)
    {
        FrameRules.CheckLength(header, 4);
        var increment = (int)(BinaryPrimitives.ReadUInt32BigEndian(payload) & 0x7fff_ffff);
        if (header.StreamId == 0)
        {
            _connectionFrames.OnWindowUpdate(increment);
            return;
        }

        Http2Stream? reset = null;
        lock (_connection.Gate)
        {
            if (_connection.Streams.Find(header.StreamId) is { } stream)
            {
                reset = increment > 0 && stream.SendWindow.TryAdd(increment) ? null : stream;
                if (reset is null)
                {
                    _connection.Scheduler.Schedule(stream);
                    _connection.Scheduler.Pump();
                }
            }
            else if (IsIdle(header.StreamId))
            {
                throw new Http2ConnectionException(Http2ErrorCode.ProtocolError, $"WINDOW_UPDATE came on stream {header.StreamId}, which was never opened.");
            }
        }

        if (reset is not null)
        {
            // §6.9, §6.9.1: both are stream errors on a stream.
            var (code, message) = increment == 0
                ? (Http2ErrorCode.ProtocolError, "WINDOW_UPDATE came with an increment of 0.")
                : (Http2ErrorCode.FlowControlError, $"WINDOW_UPDATE of {increment} takes the stream's window over {Http2Protocol.LargestWindowBytes}.");
            Reset(reset, code, message);
        }

        _connection.WakeFlush();
    }
}
