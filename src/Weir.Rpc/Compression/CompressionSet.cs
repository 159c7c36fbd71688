using Weir.Rpc.Protocol;

namespace Weir.Rpc.Compression;

/// <summary>The compressions that a channel or server accepts. Immutable.</summary>
internal sealed class CompressionSet
{
    private readonly MessageCompression[] _compressions;

    public CompressionSet(IReadOnlyList<MessageCompression> compressions)
    {
        _compressions = [.. compressions];
        AcceptEncoding = string.Join(',', [GrpcNames.Identity, .. _compressions.Select(compression => compression.Name)]);
    }

    /// <summary>The value of grpc-accept-encoding: "identity,gzip".</summary>
    public string AcceptEncoding { get; }

    /// <summary>Whether there is any compression besides identity.</summary>
    public bool IsEmpty => _compressions.Length == 0;

    /// <summary>The compression of a grpc-encoding. Null for identity and for none; false when it is not accepted.</summary>
    public bool TryFind(string? encoding, out MessageCompression? compression)
    {
        compression = null;
        if (encoding is null or GrpcNames.Identity)
        {
            return true;
        }

        foreach (var known in _compressions)
        {
            if (known.Name == encoding)
            {
                compression = known;
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a peer's grpc-accept-encoding lists a name.</summary>
    public static bool Lists(string acceptEncoding, string name)
    {
        foreach (var part in acceptEncoding.AsSpan().Split(','))
        {
            if (acceptEncoding.AsSpan(part).Trim().SequenceEqual(name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Checks what an option is set to.</summary>
    /// <exception cref="ArgumentException">A name occurs twice, or is "identity", which is always accepted.</exception>
    public static IReadOnlyList<MessageCompression> Check(IReadOnlyList<MessageCompression> compressions, string option)
    {
        ArgumentNullException.ThrowIfNull(compressions, option);
        var names = new HashSet<string>(StringComparer.Ordinal) { GrpcNames.Identity };
        foreach (var compression in compressions)
        {
            ArgumentNullException.ThrowIfNull(compression, option);
            if (!names.Add(compression.Name))
            {
                throw new ArgumentException($"\"{compression.Name}\" is accepted already; each name is to be there once (\"{GrpcNames.Identity}\" always is).", option);
            }
        }

        return [.. compressions];
    }
}
