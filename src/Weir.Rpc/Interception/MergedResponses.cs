using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Weir.Rpc.Serving;

namespace Weir.Rpc.Interception;

/// <summary>The responses of a handler together with those that it, or its tasks, send beside: interceptors see one stream of all.</summary>
internal sealed class MergedResponses<TRequest, TResponse>(ServerCallState<TRequest, TResponse> call, UncompressedMessages uncompressed)
    where TRequest : class
    where TResponse : class
{
    private readonly Channel<(TResponse Message, bool Uncompressed)> _sent = Channel.CreateBounded<(TResponse, bool)>(1);

    /// <summary>Runs the handler. Ends after it and its tasks.</summary>
    public async IAsyncEnumerable<TResponse> RunAsync(BoundMethod<TRequest, TResponse> method, IAsyncEnumerable<TRequest> requests)
    {
        call.UseSender(new Sender(this));
        var sent = _sent.Reader;
        var readable = sent.WaitToReadAsync().AsTask();
        var handled = method.Stream(call, requests).GetAsyncEnumerator(call.CancellationToken);
        Task<bool>? next = null;
        try
        {
            Exception? failure = null;
            var goesOn = true;
            while (goesOn)
            {
                while (sent.TryRead(out var message))
                {
                    yield return Take(message);
                }

                try
                {
                    next ??= handled.MoveNextAsync().AsTask();
                    if (await Task.WhenAny(next, readable).ConfigureAwait(false) != next)
                    {
                        readable = sent.WaitToReadAsync().AsTask();
                        continue;
                    }

                    goesOn = await next.ConfigureAwait(false);
                    next = null;
                }
                catch (Exception error) // of the handler: thrown behind what was sent before
                {
                    failure = error;
                    next = null;
                    break;
                }

                while (sent.TryRead(out var message)) // the handler sent it before this one
                {
                    yield return Take(message);
                }

                if (goesOn)
                {
                    uncompressed.OnTaken(handled.Current, call.ResponsesUncompressed ? true : null); // else as the call says when it is sent
                    yield return handled.Current;
                }
            }

            if (failure is not null)
            {
                call.CancelWork();
            }

            if (call.WaitForTasksAsync() is { } tasks)
            {
                while (await Task.WhenAny(tasks, readable).ConfigureAwait(false) != tasks)
                {
                    while (sent.TryRead(out var message))
                    {
                        yield return Take(message);
                    }

                    readable = sent.WaitToReadAsync().AsTask();
                }
            }

            while (sent.TryRead(out var message))
            {
                yield return Take(message);
            }

            if (failure is not null)
            {
                ExceptionDispatchInfo.Throw(failure);
            }
        }
        finally
        {
            _sent.Writer.TryComplete(); // what waits to be sent fails
            if (next is not null)
            {
                call.LeaveHandler(); // its step is pending, and nobody wants its responses any more
                await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            await handled.DisposeAsync().ConfigureAwait(false);
        }
    }

    private TResponse Take((TResponse Message, bool Uncompressed) sent)
    {
        uncompressed.OnTaken(sent.Message, sent.Uncompressed);
        return sent.Message;
    }

    private sealed class Sender(MergedResponses<TRequest, TResponse> responses) : ResponseSender<TResponse>
    {
        private readonly ServerCallState<TRequest, TResponse> _call = responses.Call;
        private readonly ChannelWriter<(TResponse, bool)> _writer = responses._sent.Writer;

        /// <inheritdoc/>
        public override async ValueTask SendAsync(TResponse message, bool uncompressed, CancellationToken cancellationToken = default)
        {
            ArgumentNullException.ThrowIfNull(message);
            _call.CancellationToken.ThrowIfCancellationRequested();
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _call.CancellationToken);
            try
            {
                await _writer.WriteAsync((message, uncompressed), either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                cancellationToken.ThrowIfCancellationRequested();
                throw new OperationCanceledException("The call was cancelled.", _call.CancellationToken);
            }
            catch (ChannelClosedException)
            {
                throw new InvalidOperationException("The call has ended.");
            }
        }

        /// <inheritdoc/>
        public override bool TrySend(TResponse message, bool uncompressed)
        {
            ArgumentNullException.ThrowIfNull(message);
            return !_call.IsStopped && _writer.TryWrite((message, uncompressed));
        }
    }

    private ServerCallState<TRequest, TResponse> Call => call;
}
