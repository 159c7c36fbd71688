namespace Weir.Server.Chat;

/// <summary>Which contract a chat client was built from.</summary>
enum ChatDialect
{
    /// <summary>The classic contract: messages only.</summary>
    Classic,

    /// <summary>weir.v1: messages, and notices of who comes and leaves.</summary>
    V1,
}
