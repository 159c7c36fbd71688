using Weir.Rpc;

namespace Weir.Server.Files;

/// <summary>What names, ids and hashes from clients must look like. None of them ever becomes a path.</summary>
static class FileRules
{
    /// <summary>The longest file name, in UTF-16 units.</summary>
    public const int MaxFileNameLength = 255;

    /// <summary>The longest upload id, in characters.</summary>
    public const int MaxUploadIdLength = 64;

    const int Sha256HexLength = 64;

    /// <summary>Checks a label: 1 to 255 characters, none of them a control character.</summary>
    public static void CheckFileName(string name)
    {
        if (name.Length is 0 or > MaxFileNameLength)
            throw Invalid($"file_name has {name.Length} characters, 1 to {MaxFileNameLength} are allowed");
        foreach (var c in name)
        {
            if (char.IsControl(c)) throw Invalid($"file_name has the control character U+{(int)c:X4}");
        }
    }

    /// <summary>Checks a client's own id of an upload: 1 to 64 of [A-Za-z0-9._-].</summary>
    public static void CheckUploadId(string id)
    {
        if (id.Length is 0 or > MaxUploadIdLength)
            throw Invalid($"upload_id has {id.Length} characters, 1 to {MaxUploadIdLength} are allowed");
        foreach (var c in id)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-'))
                throw Invalid($"upload_id has the character U+{(int)c:X4}, [A-Za-z0-9._-] are allowed");
        }
    }

    /// <summary>Checks a SHA-256 in hex.</summary>
    public static void CheckSha256(string hex)
    {
        if (hex.Length != Sha256HexLength || !hex.All(char.IsAsciiHexDigit))
            throw Invalid($"sha256 must be {Sha256HexLength} hex digits, got '{hex[..Math.Min(hex.Length, Sha256HexLength)]}' ({hex.Length} characters)");
    }

    public static RpcException Invalid(string detail) => new(StatusCode.InvalidArgument, detail);
}
