namespace Weir.Server.Chat;

/// <summary>Settings of the chat calls.</summary>
sealed class ChatOptions
{
    int _ringMessages = 1024;
    int _maxLagMessages = 65_536;
    int _maxRooms = 10_000;
    int _queuedMessages = 1024;

    /// <summary>The SQLite file that keeps the rooms' messages; its folder is created if it is not there.</summary>
    public required string DatabasePath { get; init; }

    /// <summary>How many of a room's messages and notices are in memory. A member that lags more catches up from the log, where notices are not
    /// kept. Default 1,024; at least 1.</summary>
    public int RingMessages
    {
        get => _ringMessages;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            _ringMessages = value;
        }
    }

    /// <summary>How many messages and notices a member may lag behind its room before it is disconnected. Default 65,536; at least 1.</summary>
    public int MaxLagMessages
    {
        get => _maxLagMessages;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            _maxLagMessages = value;
        }
    }

    /// <summary>How many rooms may have members at the same time. Default 10,000; at least 1.</summary>
    public int MaxRooms
    {
        get => _maxRooms;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            _maxRooms = value;
        }
    }

    /// <summary>How many messages of all rooms may wait to be stored; when so many do, senders wait. Default 1,024; at least 1.</summary>
    public int QueuedMessages
    {
        get => _queuedMessages;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            _queuedMessages = value;
        }
    }
}
