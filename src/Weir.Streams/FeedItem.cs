namespace Weir.Streams;

/// <summary>One item of a feed as a subscriber gets it.</summary>
/// <param name="Sequence">The item's number in its feed; counts up by one from 1 (or from the feed's start).</param>
/// <param name="Value">What was published.</param>
/// <param name="Dropped">
/// How many items between the subscriber's last one and this one it did not get because it lagged: 0 for a gap-free run.
/// Items that the subscriber's own filter refused do not count.
/// </param>
public readonly record struct FeedItem<T>(long Sequence, T Value, long Dropped = 0);
