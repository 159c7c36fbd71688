global using Weir.Rpc;
