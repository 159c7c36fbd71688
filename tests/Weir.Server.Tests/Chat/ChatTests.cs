using Weir.Rpc;
using Weir.Server.Chat;
using static Weir.Server.Tests.Chat.ChatFixture;
using Kind = Weir.V1.ChatMessage.Types.Kind;

namespace Weir.Server.Tests.Chat;

public sealed class ChatTests : IAsyncLifetime
{
    readonly ChatFixture _chat = new ChatFixture().Start();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _chat.DisposeAsync();

    [Fact]
    public async Task A_message_goes_to_the_others_in_the_room_and_not_back()
    {
        await using var ann = await _chat.JoinAsync("r", "ann");
        await using var bob = await _chat.JoinAsync("r", "bob");
        await using var other = await _chat.JoinAsync("elsewhere", "cid");
        await ann.SendAsync(Message("hi", "somebody else", timestamp: 7));
        await bob.SendAsync(Message("hello", room: "r"));
        var hi = (await bob.ReceiveAsync())!;
        Assert.Equal(("ann", "hi", 7, "r", 1, Kind.Message), (hi.UserId, hi.Content, hi.Timestamp, hi.RoomId, hi.Sequence, hi.Kind));
        var hello = (await ann.ReceiveAsync())!;
        Assert.Equal(("bob", "hello", 2), (hello.UserId, hello.Content, hello.Sequence));
        Assert.Equal(_chat.Time.GetUtcNow().ToUnixTimeSeconds(), hello.Timestamp);
        other.Complete();
        Assert.Null(await other.ReceiveAsync());
    }

    [Fact]
    public async Task The_first_message_is_sent_too_and_the_same_user_may_be_there_twice()
    {
        await using var first = await _chat.JoinAsync("", "ann");
        await using var second = await _chat.JoinAsync("lobby", "ann", "from my phone");
        Assert.Equal("from my phone", await first.ContentAsync());
        await first.SendAsync(Message("from my desk"));
        Assert.Equal("from my desk", await second.ContentAsync());
        Assert.Equal((2, 2), (await _chat.ListAsync())["lobby"]);
    }

    [Fact]
    public async Task The_metadata_wins_over_the_field()
    {
        await using var ann = await _chat.JoinAsync("r", "ann");
        await using var bob = new Client(_chat.Handler, ChatDialect.Classic, metadataUser: "bob");
        await bob.SendAsync(Message("hi", "mallory", "r"));
        Assert.Equal("bob", (await ann.ReceiveAsync())!.UserId);
    }

    [Fact]
    public async Task Notices_of_joining_and_leaving_go_to_weir_v1_only()
    {
        await using var old = await _chat.JoinAsync("r", "old");
        await using var ann = await _chat.JoinAsync("r", "ann", dialect: ChatDialect.V1);
        var bob = await _chat.JoinAsync("r", "bob", "one", ChatDialect.V1);
        await bob.SendAsync(Message("two"));
        bob.Complete();
        Assert.Equal(Status.Ok, await bob.StatusAsync());
        Assert.Equal([(Kind.Joined, "", 0), (Kind.Message, "one", 1), (Kind.Message, "two", 2), (Kind.Left, "", 2)], await Next(4));
        Assert.Equal("one", await old.ContentAsync());
        Assert.Equal("two", await old.ContentAsync());

        var gone = await _chat.JoinAsync("r", "gone");
        await gone.DisposeAsync();
        Assert.Equal([(Kind.Joined, "", 2), (Kind.Left, "", 2)], await Next(2));

        async Task<List<(Kind, string, long)>> Next(int count)
        {
            var seen = new List<(Kind, string, long)>();
            while (seen.Count < count)
            {
                var message = (await ann.ReceiveAsync())!;
                seen.Add((message.Kind, message.Content, message.Sequence));
            }

            return seen;
        }
    }

    [Fact]
    public async Task What_is_wrong_ends_that_call_with_InvalidArgument_and_the_others_go_on()
    {
        await using var ann = await _chat.JoinAsync("r", "ann");
        await Refused("user_id has 0 characters, 1 to 128 are allowed", Message("x", "", "r"));
        await Refused("room_id has 129 characters, 1 to 128 are allowed", Message("x", "u", new string('r', 129)));
        await Refused("user_id has the control character U+0007", Message("x", "\a", "r"));
        await Refused("this call has joined room 'r', got a message for room 's'", Message("", "u", "r"), Message("x", "u", "s"));
        await Refused("content has 65538 bytes, at most 65536 are allowed", Message(new string('é', 32_769), "u", "r"));
        var back = Message("x", "u", "r");
        back.ResumeAfter = -1;
        await Refused("resume_after is -1, 0 or more is allowed", back);
        back.ResumeAfter = 5;
        await using (var client = new Client(_chat.Handler, ChatDialect.V1))
        {
            await client.SendAsync(back);
            Assert.Equal(new Status(StatusCode.OutOfRange, "resume_after is 5, the last sequence of room 'r' is 0"), await client.StatusAsync());
        }

        await using var bob = await _chat.JoinAsync("r", "bob", "still here");
        var next = await ann.ContentAsync();
        Assert.Equal("still here", next == "x" ? await ann.ContentAsync() : next);
        Assert.Equal(2, (await _chat.ListAsync())["r"].Members);

        async Task Refused(string detail, params V1.ChatMessage[] messages)
        {
            await using var client = new Client(_chat.Handler, ChatDialect.V1);
            foreach (var message in messages) await client.SendAsync(message);
            Assert.Equal(new Status(StatusCode.InvalidArgument, detail), await client.StatusAsync());
        }
    }

    [Fact]
    public async Task A_member_whose_requests_break_is_removed_and_the_others_go_on()
    {
        await using var ann = await _chat.JoinAsync("r", "ann");
        await using var bob = await _chat.JoinAsync("r", "bob");
        bob.Complete(new IOException("the connection is lost"));
        await Assert.ThrowsAsync<IOException>(() => bob.StatusAsync());
        await using var cid = await _chat.JoinAsync("r", "cid", "hi");
        Assert.Equal("hi", await ann.ContentAsync());
        Assert.Equal((2, 1), (await _chat.ListAsync())["r"]);
    }

    [Fact]
    public async Task A_draining_server_ends_the_call_normally_after_what_was_said()
    {
        await using var ann = await _chat.JoinAsync("r", "ann");
        await using var bob = await _chat.JoinAsync("r", "bob", "last words");
        Assert.Equal("last words", await ann.ContentAsync());
        ann.Call.Drain();
        Assert.Equal(Status.Ok, await ann.StatusAsync());
        Assert.Equal(1, (await _chat.ListAsync())["r"].Members);
    }

    [Fact]
    public async Task Requests_that_end_before_the_first_message_end_the_call()
    {
        await using var client = new Client(_chat.Handler, ChatDialect.V1);
        client.Complete();
        Assert.Equal(Status.Ok, await client.StatusAsync());
    }

    [Fact]
    public async Task Rooms_without_members_leave_the_memory_and_their_number_is_bounded()
    {
        await using var chat = new ChatFixture().Start(maxRooms: 1);
        var ann = await chat.JoinAsync("a", "ann", "x");
        await using (var bob = new Client(chat.Handler, ChatDialect.V1))
        {
            await bob.SendAsync(Message("x", "bob", "b"));
            Assert.Equal(new Status(StatusCode.ResourceExhausted, "1 rooms have members, at most 1 are allowed"), await bob.StatusAsync());
        }

        await ann.DisposeAsync();
        Assert.Empty(chat.Rooms.Open);
        await using var cid = await chat.JoinAsync("b", "cid");
        Assert.Equal((0, 1), (await chat.ListAsync())["a"]);
        Assert.Equal((1, 0), (await chat.ListAsync())["b"]);
    }

    [Fact]
    public async Task A_slow_member_catches_up_from_the_log_and_hears_itself_never()
    {
        await using var chat = new ChatFixture().Start(ring: 8);
        await using var slow = await chat.JoinAsync("r", "slow");
        await using var fast = await chat.JoinAsync("r", "fast");
        await using var sender = await chat.JoinAsync("r", "sender");
        for (var i = 1; i <= 100; i++)
        {
            var from = i % 10 == 0 ? slow : sender;
            await from.SendAsync(Message($"{i}"));
            Assert.Equal($"{i}", await fast.ContentAsync());
        }

        for (var i = 1; i <= 100; i++)
        {
            if (i % 10 != 0) Assert.Equal($"{i}", await slow.ContentAsync());
        }

        await sender.SendAsync(Message("after"));
        Assert.Equal("after", await slow.ContentAsync());
    }

    [Fact]
    public async Task A_member_that_lags_more_than_allowed_is_disconnected_while_the_others_get_everything()
    {
        await using var chat = new ChatFixture().Start(ring: 8, maxLag: 50);
        await using var slow = await chat.JoinAsync("r", "slow");
        await using var fast = await chat.JoinAsync("r", "fast");
        await using var sender = await chat.JoinAsync("r", "sender");
        for (var i = 1; i <= 100; i++)
        {
            await sender.SendAsync(Message($"{i}"));
            Assert.Equal($"{i}", await fast.ContentAsync());
        }

        // It had asked for one message before it stopped reading.
        Assert.Equal("1", await slow.ContentAsync());
        Assert.Equal(new Status(StatusCode.ResourceExhausted, "the member is 99 messages behind, at most 50 are allowed"), await slow.StatusAsync());
        await sender.SendAsync(Message("after"));
        Assert.Equal("after", await fast.ContentAsync());
    }
}
