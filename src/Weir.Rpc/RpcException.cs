namespace Weir.Rpc;

/// <summary>A call ended with a status other than OK. Thrown by a handler, it becomes the call's status.</summary>
public sealed class RpcException : Exception
{
    /// <summary>Creates the exception for a status, with trailers if the call had any.</summary>
    public RpcException(Status status, Metadata? trailers = null, Exception? innerException = null)
        : base(status.ToString(), innerException)
    {
        Status = status;
        Trailers = trailers ?? [];
    }

    /// <summary>Creates the exception for a code and a sentence for people.</summary>
    public RpcException(StatusCode code, string detail)
        : this(new Status(code, detail))
    {
    }

    /// <summary>The status the call ended with.</summary>
    public Status Status { get; }

    /// <summary>The code of <see cref="Status"/>.</summary>
    public StatusCode StatusCode => Status.Code;

    /// <summary>The trailers that came with the status (on a server: to be sent with it).</summary>
    public Metadata Trailers { get; }
}
