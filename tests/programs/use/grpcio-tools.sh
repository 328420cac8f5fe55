printf 'syntax = "proto3";\nmessage Text { string text = 1; }\nservice Echo { rpc Say(Text) returns (Text); rpc Many(Text) returns (stream Text); }\n' > a.proto
"$P" -I. --python_out=. --pyi_out=. --grpc_python_out=. a.proto; ls a_pb2.py a_pb2.pyi a_pb2_grpc.py; ! "$P" -I. --python_out=. none.proto
cat > echo.py <<'E'
import concurrent.futures, grpc, a_pb2, a_pb2_grpc
class Echo(a_pb2_grpc.EchoServicer):
    def Say(self, request, context): return a_pb2.Text(text=request.text.upper())
    def Many(self, request, context): yield from (a_pb2.Text(text=c) for c in request.text)
server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
a_pb2_grpc.add_EchoServicer_to_server(Echo(), server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
    stub = a_pb2_grpc.EchoStub(channel)
    print(stub.Say(a_pb2.Text(text="hello")).text, [t.text for t in stub.Many(a_pb2.Text(text="abc"))])
server.stop(None).wait()
E
COACHWHIP_INTERPRETER=1 "$P" echo.py | grep "HELLO \['a', 'b', 'c'\]"
