using System.Text;
using Weir.Http2.Hpack;

namespace Weir.Http2.Tests.Wire;

/// <summary>
/// HPACK for tests: writes every field as a plain literal, and reads whatever a peer sends on one connection. Only the tables that RFC
/// 7541 prints (static table, Huffman code) are the engine's.
/// </summary>
internal sealed class WireHeaders(int tableBytes = 4096)
{
    readonly List<(string Name, string Value)> _table = []; // the newest first
    int _tableBytes = tableBytes;
    byte[] _block = [];
    int _position;

    /// <summary>A block of literals without indexing, without Huffman.</summary>
    public static byte[] Encode(params IEnumerable<(string Name, string Value)> fields) =>
        [.. fields.SelectMany(field => (byte[])[0, .. EncodeString(field.Name), .. EncodeString(field.Value)])];

    /// <summary>Decodes the connection's next block.</summary>
    public List<(string Name, string Value)> Decode(byte[] block)
    {
        (_block, _position) = (block, 0);
        var fields = new List<(string Name, string Value)>();
        while (_position < block.Length)
        {
            byte first = block[_position];
            if (first >= 0x80)
            {
                fields.Add(Get(ReadInteger(7)));
            }
            else if (first is >= 0x20 and < 0x40)
            {
                _tableBytes = ReadInteger(5);
                Evict();
            }
            else
            {
                int nameIndex = ReadInteger(first >= 0x40 ? 6 : 4);
                string name = nameIndex == 0 ? ReadString() : Get(nameIndex).Name;
                fields.Add((name, ReadString()));
                if (first >= 0x40)
                {
                    _table.Insert(0, fields[^1]);
                    Evict();
                }
            }
        }

        return fields;
    }

    static byte[] EncodeString(string text) => [.. EncodeLength(text.Length), .. Encoding.Latin1.GetBytes(text)];

    static IEnumerable<byte> EncodeLength(int length)
    {
        yield return (byte)Math.Min(length, 0x7f);
        if (length < 0x7f)
            yield break;
        int rest = length - 0x7f;
        for (; rest >= 0x80; rest /= 0x80)
            yield return (byte)(rest % 0x80 + 0x80);
        yield return (byte)rest;
    }

    (string Name, string Value) Get(int index) =>
        index <= StaticTable.Count ? (StaticTable.Get(index).Name, StaticTable.Get(index).Value) : _table[index - StaticTable.Count - 1];

    void Evict()
    {
        while (_table.Sum(entry => entry.Name.Length + entry.Value.Length + 32) > _tableBytes)
            _table.RemoveAt(_table.Count - 1);
    }

    int ReadInteger(int prefixBits)
    {
        int max = (1 << prefixBits) - 1;
        int value = _block[_position++] & max;
        if (value < max)
            return value;
        int factor = 1;
        while (true)
        {
            byte octet = _block[_position++];
            value = checked(value + octet % 0x80 * factor);
            if (octet < 0x80)
                return value;
            factor = checked(factor * 0x80);
        }
    }

    string ReadString()
    {
        bool isHuffman = _block[_position] >= 0x80;
        int length = ReadInteger(7);
        ReadOnlySpan<byte> octets = _block.AsSpan(_position, length);
        _position += length;
        if (!isHuffman)
            return Encoding.Latin1.GetString(octets);
        var chars = new char[HuffmanDecoder.Decode(octets, [])];
        HuffmanDecoder.Decode(octets, chars);
        return new string(chars);
    }
}
