using System.Runtime.InteropServices;
using Weir.Cli;
using Weir.Server;

// The server has its own arguments, its own signals and its own configuration: nothing of the client is started for it.
if (args is ["serve", ..])
    return await WeirServer.RunAsync(args[1..]);

using var stop = new CancellationTokenSource();
var signal = 0;
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Stop(context, 2));
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Stop(context, 15));

await using var output = CommandOutput.ForProcess();
var exitCode = await CommandLine.RunAsync(args, output, stop.Token);
return signal == 0 || exitCode == ExitCode.Ok ? exitCode : 128 + signal;

// The first signal lets the command end in order, the second ends the process.
void Stop(PosixSignalContext context, int number)
{
    if (Interlocked.CompareExchange(ref signal, number, 0) != 0)
        return;
    context.Cancel = true;
    stop.Cancel();
}
