namespace Weir.Server.Tests.Users;

/// <summary>Tests that measure the process's memory run while no other test does.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MemoryCollection
{
    public const string Name = "Memory";
}
