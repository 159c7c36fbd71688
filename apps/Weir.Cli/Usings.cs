global using Weir.Cli.Output;
global using Weir.Client;
global using Weir.Rpc;
global using Weir.V1;
