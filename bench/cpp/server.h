#pragma once

// Serves the bench contract on 127.0.0.1 until the process is ended.
void Serve(int port);
