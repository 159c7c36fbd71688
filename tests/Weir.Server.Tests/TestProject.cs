using System.Reflection;

namespace Weir.Server.Tests;

/// <summary>Where this project comes from.</summary>
internal static class TestProject
{
    /// <summary>The folder of the whole repository.</summary>
    public static string Root { get; } =
        typeof(TestProject).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(known => known.Key == "Root").Value!;
}
