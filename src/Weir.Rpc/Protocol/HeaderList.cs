using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Weir.Http2;

namespace Weir.Rpc.Protocol;

/// <summary>Collects the fields of one header block: the first sixteen on the stack, more in an array.</summary>
internal ref struct HeaderList
{
    private Inline _inline;
    private HeaderField[]? _array;
    private int _count;

    /// <summary>Appends a field.</summary>
    public void Add(HeaderField field)
    {
        if (_array is null && _count < Inline.Length)
        {
            _inline[_count++] = field;
            return;
        }

        if (_array is null)
        {
            _array = new HeaderField[Inline.Length * 2];
            ((ReadOnlySpan<HeaderField>)_inline).CopyTo(_array);
        }
        else if (_count == _array.Length)
        {
            Array.Resize(ref _array, _count * 2);
        }

        _array[_count++] = field;
    }

    /// <summary>Appends a field by name and value.</summary>
    public void Add(string name, string value) => Add(new HeaderField(name, value));

    /// <summary>All fields so far, valid while this list is.</summary>
    [UnscopedRef]
    public ReadOnlySpan<HeaderField> AsSpan() => _array is null ? ((ReadOnlySpan<HeaderField>)_inline)[.._count] : _array.AsSpan(0, _count);

    [InlineArray(Length)]
    private struct Inline
    {
        public const int Length = 16;
        private HeaderField _first;
    }
}
