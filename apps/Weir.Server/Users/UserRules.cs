using Weir.V1;

namespace Weir.Server.Users;

/// <summary>What makes a row a user.</summary>
internal static class UserRules
{
    /// <summary>Null for a good row, else what is wrong with it: one sentence with the actual and the allowed value.</summary>
    public static string? FindFault(User user)
    {
        if (string.IsNullOrWhiteSpace(user.Name))
            return "The name is empty.";
        if (user.Name.Length > UserLimits.MaxNameLength)
            return $"The name has {user.Name.Length} characters; at most {UserLimits.MaxNameLength} are allowed.";
        if (HasControl(user.Name, orSpace: false))
            return "The name has a control character.";
        return FindFault(user.Email);
    }

    private static string? FindFault(string email)
    {
        if (email.Length == 0)
            return "The e-mail is empty.";
        if (email.Length > UserLimits.MaxEmailLength)
            return $"The e-mail has {email.Length} characters; at most {UserLimits.MaxEmailLength} are allowed.";
        if (HasControl(email, orSpace: true))
            return "The e-mail has a space or control character.";
        var at = email.IndexOf('@', StringComparison.Ordinal);
        if (at < 0 || email.IndexOf('@', at + 1) >= 0)
            return $"The e-mail has {email.Count(letter => letter == '@')} @ signs instead of one.";
        if (at == 0)
            return "The e-mail has nothing before the @.";
        if (at > UserLimits.MaxEmailLocalLength)
            return $"The e-mail has {at} characters before the @; at most {UserLimits.MaxEmailLocalLength} are allowed.";
        var domain = email.AsSpan(at + 1);
        if (domain.IsEmpty)
            return "The e-mail has no domain after the @.";
        return domain[0] == '.' || domain[^1] == '.' || domain.Contains("..", StringComparison.Ordinal) ? "The e-mail's domain has an empty label." : null;
    }

    // Run for every row of an import: no enumerator and no delegate.
    private static bool HasControl(string text, bool orSpace)
    {
        foreach (var letter in text)
        {
            if (char.IsControl(letter) || (orSpace && char.IsWhiteSpace(letter)))
                return true;
        }

        return false;
    }
}
