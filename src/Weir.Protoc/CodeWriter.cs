using System.Text;
using System.Xml;

namespace Weir.Protoc;

/// <summary>Writes lines of C#, indented by the braces that are open.</summary>
internal sealed class CodeWriter
{
    private readonly StringBuilder _text = new();
    private int _depth;

    public void Line(string line = "")
    {
        if (line.Length > 0)
            _text.Append(' ', _depth * 4).Append(line);
        _text.Append('\n');
    }

    public void Open(string line)
    {
        Line(line);
        Line("{");
        _depth++;
    }

    public void Close()
    {
        _depth--;
        Line("}");
    }

    /// <summary>A documentation comment of plain text.</summary>
    public void Summary(params IReadOnlyList<string> lines)
    {
        if (lines.Count == 1)
        {
            Line($"/// <summary>{Xml(lines[0])}</summary>");
            return;
        }

        Line("/// <summary>");
        foreach (var line in lines)
            Line($"/// {Xml(line)}".TrimEnd());
        Line("/// </summary>");
    }

    public override string ToString() => _text.ToString();

    private static string Xml(string text) =>
        string.Concat(text.Where(c => XmlConvert.IsXmlChar(c) || char.IsSurrogate(c)))
            .Replace("&", "&amp;", StringComparison.Ordinal)
            .Replace("<", "&lt;", StringComparison.Ordinal)
            .Replace(">", "&gt;", StringComparison.Ordinal);
}
