namespace Weir.Rpc.Protocol;

/// <summary>The call that incoming messages belong to.</summary>
internal interface IMessageOwner
{
    /// <summary>Whether reading stops now, whatever is buffered: the call was cancelled, its deadline passed, its stream was lost.
    /// Once true it stays true; the owner calls <see cref="IncomingMessages{T}.Wake"/> after it became true.</summary>
    bool IsStopped { get; }

    /// <summary>How compressed messages are compressed; null: none may come. Known before the first octet of them.</summary>
    MessageCompression? ReceivedCompression { get; }

    /// <summary>What is wrong with a message behind the single one.</summary>
    Status SurplusFailure { get; }

    /// <summary>A message that came compressed was taken.</summary>
    void OnCompressedTaken();

    /// <summary>The input has ended, or reading has stopped: null when that is the normal end, else what the reader is to be told. Called once or more.</summary>
    Exception? GetEndOfMessages();

    /// <summary>The input cannot be read: ends the call if that is still open. If the cause is an <see cref="RpcException"/>, with its status.</summary>
    /// <returns>What the reader is to be told.</returns>
    Exception FailReading(Status failure, Exception? cause);

    /// <summary>The token of the enumeration has fired.</summary>
    /// <returns>What the reader is to be told.</returns>
    Exception CancelReading(CancellationToken cancellationToken);

    /// <summary>The enumeration was left before its end.</summary>
    void LeaveReading();
}
