namespace Weir.Http2.Tests.Wire;

/// <summary>A decoded header block as the scripted peer received it.</summary>
internal sealed record WireHeaderBlock(int StreamId, bool IsEndStream, List<(string Name, string Value)> Fields)
{
    /// <summary>The value of the only field with this name.</summary>
    public string this[string name] => Assert.Single(Fields, field => field.Name == name).Value;
}
