namespace Weir.Rpc;

/// <summary>How a call ended: a code and, for errors, a sentence for people.</summary>
/// <param name="Code">The status code.</param>
/// <param name="Detail">What was wrong; empty for OK.</param>
public readonly record struct Status(StatusCode Code, string Detail = "")
{
    /// <summary>The status of a call that ended as it should.</summary>
    public static Status Ok => new(StatusCode.Ok, "");

    /// <summary>Whether the code is OK.</summary>
    public bool IsOk => Code == StatusCode.Ok;

    /// <summary>"NotFound: no such file" or "Ok".</summary>
    public override string ToString() => string.IsNullOrEmpty(Detail) ? Code.ToString() : $"{Code}: {Detail}";
}
