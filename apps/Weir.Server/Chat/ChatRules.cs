using System.Text;
using Weir.Rpc;
using Weir.V1;

namespace Weir.Server.Chat;

/// <summary>What messages from clients must look like.</summary>
static class ChatRules
{
    /// <summary>The room of a first message that names none.</summary>
    public const string DefaultRoom = "lobby";

    /// <summary>The longest room or user id, in UTF-16 units.</summary>
    public const int MaxIdLength = 128;

    /// <summary>The largest content, in bytes of UTF-8.</summary>
    public const int MaxContentBytes = 64 * 1024;

    /// <summary>The room that a first message joins.</summary>
    public static string RoomOf(ChatMessage hello)
    {
        var room = hello.RoomId.Length == 0 ? DefaultRoom : hello.RoomId;
        CheckId("room_id", room);
        return room;
    }

    /// <summary>Who a first message comes from: the metadata "user-id" wins over the field.</summary>
    public static string UserOf(ChatMessage hello, ServerCall call)
    {
        var user = call.RequestHeaders.GetValue("user-id") ?? hello.UserId;
        CheckId("user_id", user);
        return user;
    }

    /// <summary>Checks a message of a member.</summary>
    public static void CheckMessage(ChatMessage message, string room)
    {
        if (message.RoomId.Length != 0 && message.RoomId != room)
            throw Invalid($"this call has joined room '{room}', got a message for room '{message.RoomId}'");
        var bytes = Encoding.UTF8.GetByteCount(message.Content);
        if (bytes > MaxContentBytes) throw Invalid($"content has {bytes} bytes, at most {MaxContentBytes} are allowed");
    }

    public static void CheckId(string field, string id)
    {
        if (id.Length is 0 or > MaxIdLength) throw Invalid($"{field} has {id.Length} characters, 1 to {MaxIdLength} are allowed");
        foreach (var c in id)
        {
            if (char.IsControl(c)) throw Invalid($"{field} has the control character U+{(int)c:X4}");
        }
    }

    public static RpcException Invalid(string detail) => new(StatusCode.InvalidArgument, detail);
}
