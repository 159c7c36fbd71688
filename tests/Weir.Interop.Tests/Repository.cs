using System.Reflection;

namespace Weir.Interop.Tests;

/// <summary>Where the repository lies: the peers are built from it.</summary>
internal static class Repository
{
    public static string Root { get; } = Metadata("Root");

    /// <summary>Where the interop programs are built, relative to their projects.</summary>
    public static string InteropPrograms { get; } = Metadata("InteropPrograms");

    public static string PathOf(string relative) => Path.Combine(Root, relative);

    private static string Metadata(string key) =>
        typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(known => known.Key == key).Value!;
}
