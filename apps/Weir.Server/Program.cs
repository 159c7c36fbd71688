return await Weir.Server.WeirServer.RunAsync(args);
