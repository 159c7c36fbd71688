using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Weir.Rpc.Compression;

namespace Weir.Rpc.Protocol;

/// <summary>What <see cref="MessageReader{T, TSource}.Pull"/> found.</summary>
internal enum Availability
{
    /// <summary>A whole message: TryTake gives it.</summary>
    Message,

    /// <summary>Not enough octets yet: wait for <see cref="MessageReader{T, TSource}.WantedBytes"/>.</summary>
    NeedMore,

    /// <summary>The input ended between two messages.</summary>
    End,

    /// <summary>Behind the one message that is to come there is more.</summary>
    Surplus,

    /// <summary>The input cannot be read on: see <see cref="MessageReader{T, TSource}.Failure"/>.</summary>
    Failed,
}

/// <summary>
/// Takes length-prefixed messages (gRPC PROTOCOL-HTTP2, "Length-Prefixed-Message") out of a stream's receive buffer. Works on one snapshot of
/// the buffer at a time: <see cref="TryTake"/> parses in place and touches only local state, <see cref="Pull"/> gives the parsed octets back and
/// looks for more. An incomplete message waits in the receive buffer, whatever its size: the engine gives the peer window for it as it comes.
/// A compressed message is decompressed when it is taken, into a rented buffer that the same limit holds. Belongs to the read side: one user at a time.
/// </summary>
internal struct MessageReader<T, TSource>
    where TSource : struct, IMessageSource
{
    /// <summary>Parsed octets are given back when there are this many, or when the snapshot is used up.</summary>
    private const int ReturnBytes = 32 * 1024;

    private readonly Marshaller<T> _marshaller;
    private readonly int _maxMessageBytes;
    private readonly IMessageOwner? _owner;
    private ReadOnlySequence<byte> _snapshot;   // as last seen; its octets before _taken are parsed
    private ReadOnlyMemory<byte> _first;        // the snapshot's segment in which parsing stands
    private int _offset;                        // parsed octets of _first
    private int _takenBefore;                   // parsed octets of the snapshot before _first; taken = _takenBefore + _offset
    private bool _isSingleShown;

    /// <summary>Creates a reader of messages of at most <paramref name="maxMessageBytes"/> each, compressed or not. Without an owner none may be compressed.</summary>
    public MessageReader(Marshaller<T> marshaller, int maxMessageBytes, IMessageOwner? owner = null)
    {
        _owner = owner;
        _marshaller = marshaller;
        _maxMessageBytes = maxMessageBytes;
    }

    /// <summary>After <see cref="Availability.NeedMore"/>: how many octets must be buffered before it is worth looking again.</summary>
    public int WantedBytes { get; private set; }

    /// <summary>After <see cref="Availability.Failed"/>: what is wrong with the input.</summary>
    public Status Failure { get; private set; }

    /// <summary>Takes the next message if it lies whole in what <see cref="Pull"/> has last seen. Throws what the marshaller throws, and
    /// <see cref="RpcException"/> when it cannot be decompressed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryTake(out T message)
    {
        var rest = _first.Span[_offset..];
        if (rest.Length >= MessagePayload<T>.PrefixBytes && _offset < ReturnBytes)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(rest[1..]);
            if (rest[0] == 0 && length <= (uint)(rest.Length - MessagePayload<T>.PrefixBytes) && length <= (uint)_maxMessageBytes)
            {
                _offset += MessagePayload<T>.PrefixBytes + (int)length;
                message = _marshaller.Read(rest.Slice(MessagePayload<T>.PrefixBytes, (int)length));
                return true;
            }
        }

        return TryTakeSlow(out message);
    }

    /// <summary>Gives back what was taken and looks at what has arrived since. A prefix is looked at as soon as it is there. With <paramref name="single"/> one
    /// message is shown, when the end of the input or an octet behind it has come; what is behind it is <see cref="Availability.Surplus"/>.</summary>
    public Availability Pull(TSource source, bool single = false)
    {
        ReturnTaken(source);
        var completed = source.IsInputCompleted; // before reading: what is read after it is then all there is
        if (!source.TryRead(1, out var data))
        {
            return completed ? Availability.End : Want(MessagePayload<T>.PrefixBytes);
        }

        if (_isSingleShown)
        {
            return Availability.Surplus;
        }

        if (data.Length < MessagePayload<T>.PrefixBytes)
        {
            return completed ? FailTruncated(data.Length) : Want(MessagePayload<T>.PrefixBytes);
        }

        Span<byte> prefix = stackalloc byte[MessagePayload<T>.PrefixBytes];
        data.Slice(0, MessagePayload<T>.PrefixBytes).CopyTo(prefix);
        if (!IsFlagAllowed(prefix[0]))
        {
            return Fail(new Status(StatusCode.Internal, prefix[0] == 1
                ? "received a message whose compressed flag is 1 without a grpc-encoding other than identity"
                : $"received a message whose compressed flag is {prefix[0]}; 0 and 1 are allowed"));
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        if (length > (uint)_maxMessageBytes)
        {
            return Fail(new Status(
                StatusCode.ResourceExhausted, $"received message of {length} bytes; the limit is {_maxMessageBytes} (MaxReceiveMessageBytes)"));
        }

        var total = MessagePayload<T>.PrefixBytes + (long)length;
        var wanted = single && !completed ? total + 1 : total;
        if (data.Length >= wanted)
        {
            _isSingleShown = single;
            return Show(single ? data.Slice(0, total) : data);
        }

        return completed ? FailTruncated(data.Length) : Want(wanted);
    }

    /// <summary>Lets go of everything; nothing is taken after it.</summary>
    public void Release() => Forget();

    private bool TryTakeSlow(out T message)
    {
        message = default!;
        var taken = _takenBefore + _offset;
        if (taken >= ReturnBytes || _snapshot.Length - taken < MessagePayload<T>.PrefixBytes)
        {
            return false;
        }

        var rest = _snapshot.Slice(taken);
        Span<byte> prefix = stackalloc byte[MessagePayload<T>.PrefixBytes];
        rest.Slice(0, MessagePayload<T>.PrefixBytes).CopyTo(prefix);
        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        if (!IsFlagAllowed(prefix[0]) || length > (uint)_maxMessageBytes || rest.Length - MessagePayload<T>.PrefixBytes < length)
        {
            return false; // Pull tells which it is
        }

        var payload = rest.Slice(MessagePayload<T>.PrefixBytes, length);
        var after = rest.Slice(payload.End);
        _takenBefore = taken + MessagePayload<T>.PrefixBytes + (int)length;
        _first = after.First;
        _offset = 0;
        message = prefix[0] != 0 ? ReadCompressed(payload)
            : payload.IsSingleSegment ? _marshaller.Read(payload.FirstSpan)
            : _marshaller.Read(payload);
        return true;
    }

    private bool IsFlagAllowed(byte flag) => flag == 0 || (flag == 1 && _owner?.ReceivedCompression is not null);

    private T ReadCompressed(in ReadOnlySequence<byte> data)
    {
        var compression = _owner!.ReceivedCompression!;
        using var buffer = new PooledBuffer(_maxMessageBytes);
        try
        {
            if (data.IsEmpty)
            {
                throw new InvalidDataException("there is no data");
            }

            compression.Decompress(data, buffer);
        }
        catch (Exception error) when (error is not RpcException) // above the limit, it is one
        {
            throw new RpcException(new Status(StatusCode.Internal, $"a received message cannot be decompressed with {compression.Name}: {error.Message}"), null, error);
        }

        _owner.OnCompressedTaken();
        return _marshaller.Read(buffer.Written);
    }

    private Availability Show(in ReadOnlySequence<byte> data)
    {
        _snapshot = data;
        _first = data.First;
        return Availability.Message;
    }

    private void ReturnTaken(TSource source)
    {
        var taken = _takenBefore + _offset;
        Forget();
        if (taken > 0)
        {
            source.Consume(taken);
        }
    }

    private void Forget()
    {
        _snapshot = default;
        _first = default;
        _offset = 0;
        _takenBefore = 0;
    }

    private Availability Want(long bytes)
    {
        WantedBytes = (int)Math.Min(bytes, int.MaxValue);
        return Availability.NeedMore;
    }

    private Availability FailTruncated(long bytes) => Fail(new Status(
        StatusCode.Internal, $"the input ended within a message, after {bytes} of its bytes"));

    private Availability Fail(Status failure)
    {
        Failure = failure;
        return Availability.Failed;
    }
}
