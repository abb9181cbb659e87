//! Async functions, tasks, scopes, channels and timers.

mod common;
use common::{check_tasks, check_tasks_uncaught, root};

#[test]
fn an_async_function_is_awaited_or_started() {
    check_tasks(
        "async func twice(n) { await sleep(1); return n * 2; }
         print await twice(4); let t = twice(5); print t; print await t; print await t;
         print await 7; print await null;
         async func fib(n) { if (n < 2) return n; return await fib(n - 1) + await fib(n - 2); }
         print await fib(12);
         let f = twice; print await f(1.5); print await func(x) { return x; }(3);
         let g = async func(a, b) { return await twice(a) + b; }; print await g(1, 2);
         async func none() { } print await none();
         print [await twice(1), await twice(2)][1] + await twice(3) * 10;",
        "8\n<task>\n10\n10\n7\nnull\n144\n3\n3\n4\nnull\n64\n",
    );
}

#[test]
fn tasks_of_one_isolate_take_turns() {
    check_tasks(
        "let log = []; async func say(word, n) { for (let i = 0; i < n; i += 1) {
             push(log, word); await sleep(0); } }
         scope { say(\"a\", 2); say(\"b\", 2); } print len(log);
         let count = 0; async func add(n) { for (let i = 0; i < n; i += 1) { let old = count;
             count = old + 1; if (i % 10 == 0) await sleep(0); } }
         scope { for (let i = 0; i < 100; i += 1) add(20); } print count;
         func start() { return add(5); } await start(); print count;",
        "4\n2000\n2005\n",
    );
}

#[test]
fn a_scope_waits_for_its_tasks() {
    check_tasks(
        "async func late(word) { await sleep(5); print word; }
         scope { late(\"first\"); print \"body\"; } print \"after\";
         async func outer() { late(\"second\"); return \"returned\"; } print await outer();
         async func early() { scope { late(\"third\"); return \"left\"; } } print await early();
         for (let i = 0; i < 2; i += 1) { scope { late(i); if (i == 0) continue; break; } }
         scope { scope { late(\"inner\"); } print \"between\"; late(\"outer\"); }
         async func tree(n) { if (n > 0) { tree(n - 1); tree(n - 1); } else { leaves += 1; } }
         let leaves = 0; scope { tree(6); } print leaves;",
        "body\nfirst\nafter\nsecond\nreturned\nthird\nleft\n0\n1\ninner\nbetween\nouter\n64\n",
    );
}

#[test]
fn a_task_that_fails_fails_its_scope() {
    check_tasks(
        "async func bad(ms) { await sleep(ms); throw \"bad\"; }
         async func long(word) { defer print `cleaned ${word}`; await sleep(100000); print \"no\"; }
         resilient { scope { long(\"a\"); bad(5); } print \"no\"; } recovery (e) { print e; }
         resilient { scope { bad(1); await sleep(100000); print \"no\"; } }
         recovery (e) { print `body ${e}`; }
         resilient { scope { let c = channel(1); bad(1); await recv(c); } }
         recovery (e) { print `recv ${e}`; }
         resilient { scope { long(\"b\"); await sleep(5); throw \"own\";
             } } recovery (e) { print e; }
         let t = null; resilient { scope { t = bad(0); await t; } } recovery (e) { print e; }
         resilient { await t; } recovery (e) { print `again ${e}`; }
         let n = 0; resilient(strategy=restart, retries=3) { n += 1; scope { if (n < 3) bad(0); } }
         print n;",
        "cleaned a\nbad\nbody bad\nrecv bad\ncleaned b\nown\nbad\nagain bad\n3\n",
    );
}

#[test]
fn a_cancelled_task_cleans_up() {
    check_tasks(
        "async func work() { defer { await sleep(1); print \"slow cleanup\"; } defer print \"fast\";
             resilient { await sleep(100000); } recovery (e) { print \"never caught\"; } }
         scope { let t = work(); await sleep(5); cancel(t);
             resilient { await t; } recovery (e) { print e; } } print \"end\";
         resilient { cancel(1); } recovery (e) { print e; }",
        "fast\nslow cleanup\nThe task was cancelled.\nend\nOnly tasks can be cancelled.\n",
    );
}

#[test]
fn a_task_that_ends_without_running_is_cancelled() {
    check_tasks(
        "async func f() { return 1; }
         let t = f(); cancel(t); resilient { print await t; } recovery (e) { print e; }
         resilient { print await t; } recovery (e) { print `again ${e}`; } cancel(t);
         async func wait(t) { resilient { print await t; } recovery (e) { print `sibling ${e}`; } }
         scope { let u = f(); wait(u); wait(u); cancel(u); } print \"scope\";
         let left = null; resilient { scope { left = f(); throw \"out\"; } }
         recovery (e) { print e; }
         resilient { print await left; } recovery (e) { print `left ${e}`; }",
        "The task was cancelled.\nagain The task was cancelled.\n\
         sibling The task was cancelled.\nsibling The task was cancelled.\nscope\nout\n\
         left The task was cancelled.\n",
    );
}

#[test]
fn a_task_whose_cleanup_is_cut_short_is_cancelled() {
    check_tasks(
        "async func slow() { defer { await sleep(3500); await sleep(3500); print \"no\"; }
             await sleep(100000); }
         let t = slow(); await sleep(1); cancel(t);
         resilient { print await t; } recovery (e) { print e; } print \"end\";",
        "The task was cancelled.\nend\n",
    );
}

#[test]
fn channels_are_pipelines() {
    check_tasks(
        "async func numbers(out, n) { defer close(out);
             for (let i = 1; i <= n; i += 1) await send(out, i); }
         async func squares(source, out) { defer close(out);
             for (;;) { let x = await recv(source); if (x == null) return;
             await send(out, x * x); } }
         let a = channel(2); let b = channel(1); let sum = 0;
         scope { numbers(a, 100); squares(a, b);
             for (;;) { let x = await recv(b); if (x == null) break; sum += x; } }
         print sum;
         let jobs = channel(4); let done = channel(4); let got = 0;
         async func worker() { for (;;) { let j = await recv(jobs); if (j == null) return;
             await send(done, [j]); } }
         async func feed() { for (let i = 0; i < 50;
             i += 1) await send(jobs, {\"n\": i}); close(jobs); }
         scope { for (let w = 0; w < 5; w += 1) worker(); feed();
             for (let i = 0; i < 50; i += 1) { let l = await recv(done); got += l[0][\"n\"]; } }
         print got; print a;
         resilient { await send(a, 1); } recovery (e) { print e; }
         resilient { await recv(3); } recovery (e) { print e; }
         resilient { await send(null, 3); } recovery (e) { print e; }
         resilient { close([]); } recovery (e) { print e; }
         resilient { channel(\"x\"); } recovery (e) { print e; }
         resilient { await sleep(\"x\"); } recovery (e) { print e; }",
        "338350\n1225\n<channel>\nThe channel is closed.\nOnly channels can be received from.\n\
         Only channels can be sent to.\nOnly channels can be closed.\n\
         A channel takes a number of values.\nA sleep takes a number of milliseconds.\n",
    );
}

#[test]
fn a_thousand_tasks_run_together() {
    check_tasks(
        "let total = 0; async func one(n) { await sleep(1); total += n; return n; }
         let all = []; scope { for (let i = 0; i < 1000; i += 1) push(all, one(i)); }
         print total; let sum = 0; for (let i = 0; i < 1000; i += 1) sum += await all[i];
             print sum;",
        "499500\n499500\n",
    );
}

#[test]
fn captured_variables_live_across_awaits() {
    check_tasks(
        "async func counter(n) { let c = 0;
             let step = async func() { await sleep(0); c += 1; return c; };
             for (let i = 0; i < n; i += 1) await step(); return c; }
         print await counter(5);
         async func each(list, f) { let out = [];
             for (let i = 0; i < len(list); i += 1) push(out, await f(list[i])); return out; }
         let r = await each([1, 2, 3], async func(x) { await sleep(0); return x * 10; });
             print r[2];
         let sum = await each([1, 2], func(x) { return x + 0.5; }); print sum[1];
         async func wrong(a) { return a; } resilient { await wrong(); } recovery (e) { print e; }",
        "5\n30\n2.5\nExpected 1 arguments but got 0.\n",
    );
}

#[test]
fn an_uncaught_failure_ends_the_program() {
    check_tasks_uncaught(
        "async func bad() { await sleep(1); throw \"bad\"; } print 1; await bad(); print 2;",
        "1\n",
        &["runtime error: bad"],
    );
    check_tasks_uncaught(
        "async func bad() { defer print \"cleaned\"; await sleep(1); return 1 / zero; }
         let zero = 0; bad(); await sleep(100000); print 2;",
        "cleaned\n",
        &["Division by zero."],
    );
}

#[test]
fn isolates_run_beside_each_other_with_copies() {
    check_tasks(
        "func fib(n) { if (n < 2) return n; return fib(n - 1) + fib(n - 2); }
         let a = spawn fib(15); let b = spawn fib(16); print await a + await b;
         let list = [1, [2]]; func change(l) { push(l[1], 3); return l; }
         let copy = await spawn change(list); print len(copy[1]); print len(list[1]);
         let k = 5; func uses() { k += 1; return k; } print await spawn uses(); print k;
         let f = func(x) { return x + k; }; print await spawn f(10);
         async func waits(n) { await sleep(1); return n; } print await spawn waits(4);
         func bad() { throw [\"in\", \"isolate\"]; }
         resilient { scope { await spawn bad(); } } recovery (e) { print e[1]; }
         async func feed(c, n) { for (let i = 0; i < n; i += 1) await send(c, [i]); close(c); }
         let c = channel(2); let sum = 0; scope { spawn feed(c, 20);
             for (;;) { let x = await recv(c); if (x == null) break; sum += x[0]; } } print sum;
         resilient { spawn fib(waits(1)); } recovery (e) { print \"refused\"; }
         scope { for (let i = 0; i < 20; i += 1) spawn fib(10); } print \"end\";",
        "1597\n2\n1\n6\n5\n15\n4\nisolate\n190\nrefused\nend\n",
    );
}

#[test]
fn the_example_prints_what_it_says() {
    let read = |name: &str| std::fs::read_to_string(root().join("examples/tasks").join(name));
    let (source, expected) = (read("tasks.prox"), read("expected.txt"));
    check_tasks(&source.expect("it is there"), &expected.expect("it too"));
}

#[test]
fn a_cancelled_isolate_ends_and_its_scope_waits_for_it() {
    check_tasks(
        r#"
async func nap() { defer print "isolate left"; await sleep(1000000); }
resilient { scope { let t = spawn nap(); await sleep(20); cancel(t); } }
recovery (e) { print e; }
print "scope left";
async func bad() { await sleep(10); throw "broken"; }
resilient { scope { spawn nap(); bad(); } } recovery (e) { print e; }
print "failed scope left";
let t = spawn nap();
await sleep(20);
cancel(t);
resilient { await t; print "?"; } recovery (e) { print e; }
"#,
        "isolate left\nscope left\nisolate left\nbroken\nfailed scope left\n\
         isolate left\nThe task was cancelled.\n",
    );
}
