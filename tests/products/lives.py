"""What programs do in the middle and at the end of their lives."""

from __future__ import annotations

__all__ = ["PROGRAMS"]

#: Code whose output is the same at every run.
PROGRAMS = {
    "exit": "sys.exit(3)",
    "exit with a text": "sys.exit('wrong')",
    "an exception": "1 / 0",
    "an exception in a baked module": "json.loads('{')",
    "a group": "raise ExceptionGroup('g', [ValueError(1), TypeError(2)])",
    "_exit": "atexit.register(print, 1); os._exit(5)",
    "atexit": "atexit.register(print, 'one'); atexit.register(print, 'two'); atexit.register(lambda: 1 / 0)",
    "globals": "a = Noisy('a'); b = Noisy('b'); c = [Noisy('c'), Noisy('d')]",
    "in a baked module": "json.kept = Noisy('kept')",
    "in a list of a baked module": "argparse.others = [Noisy('other')]",
    "in a baked class": "json.JSONDecoder.kept = Noisy('kept')",
    "in an own class": "Noisy.own = Noisy('own')",
    "in a baked function": "json.dumps.kept = Noisy('kept')",
    "in defaults": "json.dumps.__defaults__ = (Noisy('default'),)",
    "in a baked closure": "functools.kept = functools.lru_cache(lambda: Noisy('cached')); functools.kept()",
    "in sys.modules": "sys.modules['other'] = Noisy('other')",
    "in a cycle": "n = Noisy('cycle'); n.me = n; del n; m = Noisy('second'); m.me = m",
    "weak references": "import weakref; o = Noisy('o'); r = weakref.ref(o, lambda r: print('gone', flush=True))",
    "finalize": "o = Noisy('o'); weakref.finalize(o, print, 'finalized', flush=True)",
    "finalize in a module": "json.o = Noisy('o'); weakref.finalize(json.o, print, 'finalized', flush=True)",
    "generators": """
        def steps():
            try:
                yield 1
            finally:
                print('closed', flush=True)
        running = steps()
        next(running)
        json.running = steps()
        next(json.running)
    """,
    "a thread at the end": """
        def late():
            time.sleep(0.3)
            print('late', flush=True)
        threading.Thread(target=late).start()
        print('main', flush=True)
    """,
    "a daemon thread": "threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); print('end')",
    "threads": """
        found, lock, local = [], threading.Lock(), threading.local()
        def work(n):
            local.n = n
            for _ in range(200):
                with lock:
                    found.append(local.n)
        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        [t.start() for t in threads], [t.join() for t in threads]
        print(len(found), sorted(set(found)), threading.active_count())
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            print(sum(pool.map(lambda n: n * n, range(100))))
    """,
    "fork": """
        print('before', flush=True)
        pid = os.fork()
        status = os.waitpid(pid, 0)[1] if pid else 0
        print(threading.main_thread().ident == threading.get_ident(), random.random() != 1, flush=True)
        if pid == 0:
            atexit.register(print, 'child ends')
            sys.exit(4)
        print(os.waitstatus_to_exitcode(status))
    """,
    "fork in a thread": """
        def fork():
            pid = os.fork()
            if pid == 0:
                print(threading.main_thread() is threading.current_thread(), flush=True)
                os._exit(0)
            print(os.waitpid(pid, 0)[1])
        warnings.simplefilter('ignore')
        t = threading.Thread(target=fork); t.start(); t.join()
    """,
    "subprocess": """
        print(subprocess.run(['sh', '-c', 'cat; echo $0 >&2; exit 3'], input=b'in', capture_output=True))
        print(subprocess.check_output('echo $((1+1))', shell=True, env={'A': '1'}, close_fds=False))
        print(os.popen('echo popen').read(), os.system('exit 2'))
    """,
    "asyncio": """
        import asyncio
        async def echo(reader, writer):
            writer.write((await reader.readline()).upper())
            writer.close()
        async def main():
            server = await asyncio.start_server(echo, '127.0.0.1', 0)
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b'hello\\n')
            print(await reader.read())
            writer.close()
            process = await asyncio.create_subprocess_exec('echo', 'x', stdout=subprocess.PIPE)
            print(await process.communicate())
            print(await asyncio.to_thread(lambda: 5), await asyncio.gather(asyncio.sleep(0.01, 1), asyncio.sleep(0, 2)))
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGUSR1, print, 'signal')
            os.kill(os.getpid(), signal.SIGUSR1)
            await asyncio.sleep(0.1)
            server.close()
        asyncio.run(main())
    """,
    "sqlite": """
        with tempfile.TemporaryDirectory() as folder:
            base = sqlite3.connect(folder + '/x.db')
            base.create_function('twice', 1, lambda n: n * 2)
            base.execute('create table t(a, b)')
            base.executemany('insert into t values(?, ?)', [(n, str(n) * 3) for n in range(1000)])
            base.commit()
            print(base.execute('select sum(twice(a)), max(b), count(*) from t where b like "1%"').fetchall())
            print(sorted(os.listdir(folder)), sqlite3.connect(folder + '/x.db').execute('pragma integrity_check').fetchall())
            base.close()
    """,
    "ctypes": """
        import ctypes, ctypes.util
        libc = ctypes.CDLL(None)
        compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
        numbers = (ctypes.c_int * 5)(5, 3, 1, 4, 2)
        libc.qsort(numbers, 5, 4, compare(lambda a, b: a[0] - b[0]))
        print(list(numbers), ctypes.pythonapi.Py_IsInitialized(), ctypes.string_at(b'text'), libc.getpid() == os.getpid())
        ctypes.memmove(numbers, numbers, 4)
    """,
    "gc": """
        class Thing:
            pass
        for _ in range(3):
            one, two = Thing(), Thing()
            one.other, two.other = two, one
        del one, two
        print(gc.collect() >= 6, gc.collect(), gc.get_stats()[2]['collected'] > 0)
        gc.freeze(); gc.unfreeze(); gc.collect(); gc.collect()
        print(len(gc.get_referrers(Thing)) > 0, gc.is_tracked({}), len(gc.get_objects(2)) >= 0)
        json.dumps({}), re.compile('a(b)*').match('abb'), dataclasses.make_dataclass('D', ['x'])(1)
    """,
    "modules taken out": """
        for name in ('json', 'json.decoder', 'csv', 'decimal', 'logging', 'random', 'argparse', 'typing'):
            del sys.modules[name]
        del json, csv, decimal, logging, random, argparse, typing
        gc.unfreeze(); gc.collect()
        import json, csv, decimal, logging, random, argparse, typing
        print(json.loads('[1]'), decimal.Decimal(1) / 3, typing.Optional[int], argparse.Namespace(a=1))
        gc.collect()
    """,
    "reload": "import importlib; importlib.reload(json); importlib.reload(textwrap); print(json.dumps(textwrap.wrap('a b', 1)))",
    "patches": """
        from unittest import mock
        with mock.patch('json.dumps', return_value=1), mock.patch.dict(os.environ, {'X': '1'}):
            print(json.dumps(2), os.environ['X'], subprocess.check_output(['sh', '-c', 'echo $X']))
        print(json.dumps(2), 'X' in os.environ)
        argparse.ArgumentParser.extra = 5
        del argparse.ArgumentParser.extra
        json.JSONEncoder.default = lambda self, o: 'any'
        print(json.dumps(object()))
    """,
    "tracing": """
        seen = []
        def f(x):
            y = x + 1
            return y
        def trace(frame, event, arg):
            if frame.f_code.co_name in ('f', 'dumps'):
                seen.append((frame.f_code.co_name, event))
            return trace
        sys.settrace(trace); f(1); json.dumps([1]); sys.settrace(None)
        sys.setprofile(lambda frame, event, arg: seen.append(event)); f(1); sys.setprofile(None)
        print(seen)
        events = []
        sys.monitoring.use_tool_id(1, 'test')
        sys.monitoring.register_callback(1, sys.monitoring.events.PY_START, lambda code, at: events.append(code.co_name))
        sys.monitoring.set_events(1, sys.monitoring.events.PY_START)
        json.dumps({'a': [1]}, indent=1); f(1)
        sys.monitoring.set_events(1, 0)
        print(events)
    """,
    "recursion": """
        def deep(n):
            return 0 if n == 0 else 1 + deep(n - 1)
        try:
            deep(10**6)
        except RecursionError as error:
            print(error)
        sys.setrecursionlimit(50_000)
        print(deep(40_000))
        nested = '[' * 100_000
        try:
            json.loads(nested)
        except RecursionError as error:
            print(type(error))
        print(re.match('(a|b)*c', 'ab' * 10000 + 'c').end())
    """,
    "tracemalloc": "tracemalloc.start(5); x = [str(n) for n in range(1000)]; print(len(tracemalloc.take_snapshot().traces) > 900)",
    "fault": "faulthandler.enable(); faulthandler.dump_traceback_later(60); faulthandler.cancel_dump_traceback_later(); print(1)",
    "interrupted": "signal.signal(signal.SIGUSR1, lambda *a: print('handled')); os.kill(os.getpid(), signal.SIGUSR1); print(2)",
    "broken pipe": "r, w = os.pipe(); os.close(r)\ntry:\n    os.write(w, b'x')\nexcept BrokenPipeError as e:\n    print(e)",
    "timers": "signal.signal(signal.SIGALRM, lambda *a: print('alarm')); signal.setitimer(signal.ITIMER_REAL, .05); time.sleep(.3)",
    "pickles": "print(pickle.loads(pickle.dumps([decimal.Decimal(1), datetime.date(2020, 1, 1), re.compile('a'), {1: {2}}])))",
    "copies": "print(copy.deepcopy({'a': [decimal.Decimal('1.5')], 'b': collections.OrderedDict(a=1), 'c': array.array('i', [1])}))",
    "interning": "s = 'json' + str(1)[:0]; print(sys.intern(s) is sys.intern('json'), hash('a') == hash('a'), {1: 'a'} | {2: 'b'})",
    "decimals": "decimal.getcontext().prec = 50; print(decimal.Decimal(2).sqrt(), decimal.localcontext().__class__)",
    "contexts": "v = contextvars.ContextVar('v', default=1); c = contextvars.copy_context(); c.run(v.set, 2); print(v.get(), c[v])",
    "warnings": "warnings.warn('once'); warnings.warn('once', DeprecationWarning); warnings.simplefilter('error')\ntry:\n    warnings.warn('x')\nexcept UserWarning as e:\n    print(repr(e))",
    "logging": "logging.basicConfig(format='%(levelname)s %(message)s %(processName)s %(threadName)s'); logging.warning('w'); logging.getLogger('a.b').error('e')",
    "compression": "print(zlib.decompress(zlib.compress(b'x' * 10**6)) == b'x' * 10**6); import lzma, bz2; print(lzma.decompress(lzma.compress(b'l')), bz2.decompress(bz2.compress(b'b')))",
    "a child of its own": "print(subprocess.run([sys.executable, '-c', 'import sys; print(sys.version_info[:2], sys.argv)', 'a'], capture_output=True, text=True, env={}))",
    "itself": "print(subprocess.run([sys.argv[0], 'print(sys.argv[2:])', 'again'], capture_output=True, text=True, env={}).stdout)",
    "multibyte": "print('äöü€'.encode('utf-16'), '\\N{SNOWMAN}', unicodedata.name('é'), 'ß'.casefold(), b'\\xff'.decode('cp1252'))",
    "interpreters": "import _interpreters as i; n = i.create(); i.exec(n, 'import json, sys; print(json.dumps([1]), flush=True)'); i.destroy(n)",
}
