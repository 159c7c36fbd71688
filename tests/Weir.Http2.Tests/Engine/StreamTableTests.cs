namespace Weir.Http2.Tests.Engine;

public sealed class StreamTableTests
{
    [Fact]
    public void An_empty_table_gives_back_the_room_that_thousands_of_streams_took()
    {
        StreamTable table = new();
        const int Streams = 5_000;
        for (int round = 0; round < 2; round++)
        {
            for (int i = 0; i < Streams; i++)
                table.Add(new Http2Stream(null!, (2 * (i + (round * Streams))) + 1, 1, default));
            Assert.InRange(table.Capacity, Streams, int.MaxValue);
            for (int i = 0; i < Streams; i++)
                Assert.True(table.Remove((2 * (i + (round * Streams))) + 1, StreamEnd.Normal));
            Assert.Equal(0, table.Count);
            Assert.InRange(table.Capacity, 0, 100);
        }
    }
}
