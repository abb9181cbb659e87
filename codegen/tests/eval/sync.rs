//! Rows of the tables `tasks` and `sync` as the small kernel answers them.

use crate::tasks::run;

#[test]
fn words_go_through_a_channel_in_order() {
    let text = "\
async fn @send(%c: i64, %n: i64) throws {
  local %i: i64
  local %p: permit
  local %more: bool
entry:
  %i = copy.i64 1
  jump head
head:
  %p = intrinsic chan_reserve(%c)
  intrinsic chan_send(%p, %i)
  %i = add.i64 %i, 1
  %more = cmp.sle.i64 %i, %n
  branch %more, head, done
done:
  intrinsic chan_close(%c)
  return
}
async fn @f() -> i64 throws {
  local %c: i64
  local %t: task
  local %x: i64
  local %w: i64
  local %y: i64
entry:
  %c = intrinsic chan_new(2)
  %t = spawn @send(%c, 5)
  jump head
head:
  %x = intrinsic chan_recv(%c) recover closed(%w)
  call @note(%x)
  jump head
closed:
  %y = intrinsic join(%t)
  %y = intrinsic chan_try_recv(%c) recover still(%w)
  return 1
still:
  return 0
}";
    let (ret, log) = run(text, &[]);
    assert_eq!((ret.value, ret.status, log), (0, 0, 12345));
}

#[test]
fn a_lock_is_for_one_at_a_time_first_come_first_served() {
    let text = "\
async fn @use(%m: i64, %n: i64) throws {
  local %p: permit
  local %v: i64
  local %s: i64
entry:
  %p = intrinsic sem_acquire(%m, 1)
  call @note(%n)
  intrinsic yield_now() cleanup out(%v, %s)
  call @note(%n)
  intrinsic commit(%p)
  return
out:
  intrinsic abort(%p)
  raise %v, %s
}
async fn @f() throws {
  local %m: i64
  local %r: region
  local %a: task
  local %b: task
  local %c: task
entry:
  %m = intrinsic sem_new(1)
  %r = intrinsic region_open()
  %a = spawn @use(%m, 1) in %r
  %b = spawn @use(%m, 2) in %r
  %c = spawn @use(%m, 3) in %r
  intrinsic task_detach(%a)
  intrinsic task_cancel(%b)
  intrinsic task_detach(%b)
  intrinsic task_detach(%c)
  intrinsic region_close(%r)
  intrinsic sem_free(%m)
  return
}";
    assert_eq!(run(text, &[]).1, 1133);
}

#[test]
fn a_failure_cancels_the_others_of_the_region() {
    let text = "\
async fn @waits() throws {
  local %v: i64
  local %s: i64
entry:
  intrinsic sleep(1000) cleanup out(%v, %s)
  call @note(9)
  return
out:
  call @note(1)
  raise %v, %s
}
async fn @fails() throws {
  local %x: i64
entry:
  intrinsic sleep(5)
  %x = intrinsic test_refuse(4, 0)
  return
}
async fn @f() -> i64 throws {
  local %r: region
  local %a: task
  local %b: task
  local %x: i64
  local %w: i64
  local %t: i64
entry:
  %r = intrinsic region_open()
  %a = spawn @waits() in %r
  %b = spawn @fails() in %r
  intrinsic task_detach(%a)
  intrinsic task_detach(%b)
  %x = intrinsic region_close(%r) recover failed(%w)
  return 0
failed:
  %t = intrinsic now()
  return %t
}";
    let (ret, log) = run(text, &[]);
    assert_eq!((ret.value, ret.status, log), (5, 0, 1));
}

#[test]
fn finalizers_run_last_registered_first_when_the_region_is_quiet() {
    let text = "\
async fn @child() throws {
entry:
  intrinsic yield_now()
  call @note(1)
  return
}
fn @last(%n: i64) {
entry:
  call @note(%n)
  return
}
async fn @f() throws {
  local %r: region
  local %p: ptr
  local %a: task
entry:
  %r = intrinsic region_open()
  %p = addr.func @last
  intrinsic region_defer(%r, %p, 2)
  intrinsic region_defer(%r, %p, 3)
  %a = spawn @child() in %r
  intrinsic task_detach(%a)
  intrinsic region_close(%r)
  call @note(4)
  return
}";
    assert_eq!(run(text, &[]).1, 1324);
}

#[test]
fn a_notification_wakes_one_or_all() {
    let text = "\
async fn @waits(%e: i64, %n: i64) throws {
entry:
  intrinsic notify_wait(%e)
  call @note(%n)
  return
}
async fn @f() throws {
  local %e: i64
  local %a: task
  local %b: task
  local %c: task
  local %x: i64
entry:
  %e = intrinsic notify_new()
  %a = spawn @waits(%e, 1)
  %b = spawn @waits(%e, 2)
  %c = spawn @waits(%e, 3)
  intrinsic yield_now()
  intrinsic notify_one(%e)
  intrinsic yield_now()
  intrinsic yield_now()
  call @note(4)
  intrinsic notify_all(%e)
  intrinsic task_detach(%a)
  intrinsic task_detach(%b)
  %x = intrinsic join(%c)
  intrinsic notify_free(%e)
  return
}";
    assert_eq!(run(text, &[]).1, 1423);
}
