namespace Weir.Cli.Samples;

/// <summary>Made-up users: the same for the same seed, each with an e-mail of its own.</summary>
internal static class SampleUsers
{
    private static readonly string[] First =
    [
        "Ada", "Alan", "Amina", "Anders", "Barbara", "Chidi", "Claude", "Dorothy", "Edsger", "Emmy", "Fatima", "Grace", "Haruki", "Hedy",
        "Ingrid", "Jorge", "Katherine", "Kenji", "Leila", "Linus", "Margaret", "Mei", "Niklaus", "Olga", "Priya", "Radia", "Sofia", "Tim", "Yuki", "Zoe",
    ];

    private static readonly string[] Last =
    [
        "Abara", "Andersen", "Baker", "Castillo", "Dubois", "Eriksson", "Fischer", "Garcia", "Hansen", "Ito", "Jensen", "Kim", "Kowalski", "Lopez",
        "Meyer", "Nakamura", "Novak", "Okafor", "Patel", "Quinn", "Rossi", "Sato", "Silva", "Singh", "Tanaka", "Ueda", "Virtanen", "Weber", "Yilmaz", "Zhang",
    ];

    public static IEnumerable<(string Name, string Email)> Create(int count, int seed)
    {
        var random = new Random(seed);
        for (var i = 1; i <= count; i++)
        {
            var first = First[random.Next(First.Length)];
            var last = Last[random.Next(Last.Length)];
            yield return ($"{first} {last}", $"{first}.{last}.{i}@example.com".ToLowerInvariant());
        }
    }
}
