/* The core of Zhibu for an app in any language: the records of a device, read and written without a
 * network, and brought in step with the server over whatever moves bytes.
 *
 *   zhibu_handle store = 0;
 *   zhibu_out error = {0, 0};
 *   if (zhibu_open(options, key, &store, &error) != 0) { ...error is a zhibu.api.v1.Error... }
 *   ...
 *   zhibu_close(store, NULL);
 *
 * docs/embedding.md begins with a whole program and says what an app has to do on a phone.
 *
 * Bytes. What goes in is borrowed for the call. What comes out is the caller's, to be given to
 * zhibu_free; nothing else is ever freed by anybody. Both are messages of proto/zhibu/api/v1 unless
 * a parameter says otherwise; text is UTF-8. An out parameter may be NULL, and holds nothing after
 * a call that failed.
 *
 * Errors. A function returns 0, or one of gRPC's canonical codes; `error` then holds a
 * zhibu.api.v1.Error with the reason and with words for people in Chinese and English. Nothing is
 * kept by thread.
 *
 * Handles are numbers. One that is closed, or never was, or is of another kind, is INVALID_ARGUMENT
 * (3), whatever has been opened since. What was opened on a store is closed with it.
 *
 * Threads. Any thread may call anything. No function waits for the network; those that take a store
 * wait for its file, so an app calls them off its main thread. A function that was given bytes of
 * nobody knows whom refuses them and harms nothing.
 *
 * The ABI is these names: none changes or goes. What grows is the messages. */
#ifndef ZHIBU_CLIENT_CORE_C_ZHIBU_H_
#define ZHIBU_CLIENT_CORE_C_ZHIBU_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define ZHIBU_API __attribute__((visibility("default")))
#else
#define ZHIBU_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct zhibu_in {
  const uint8_t* data;
  size_t size;
} zhibu_in;

typedef struct zhibu_out {
  uint8_t* data;
  size_t size;
} zhibu_out;

typedef uint64_t zhibu_handle; /* 0 is none */

/* ---- The library ---- */

/* Grows by one with each function that is added. */
ZHIBU_API uint32_t zhibu_abi_version(void);
/* Makes it empty. NULL and what is empty are fine. */
ZHIBU_API void zhibu_free(zhibu_out* out);
/* How many handles are open: 0 at the end of every test. */
ZHIBU_API uint64_t zhibu_live(void);
/* protobuf's JSON form and back. `type`: Meeting, or zhibu.api.v1.Query. */
ZHIBU_API int32_t zhibu_to_json(zhibu_in type, zhibu_in body, zhibu_out* json, zhibu_out* error);
ZHIBU_API int32_t zhibu_from_json(zhibu_in type, zhibu_in json, zhibu_out* body, zhibu_out* error);
/* `descriptors`: a google.protobuf.FileDescriptorSet of every record and message, with labels and
 * rights. */
ZHIBU_API int32_t zhibu_schema(zhibu_out* descriptors, zhibu_out* error);
/* `certificate`, in DER or PEM, is the one with this fingerprint (Advice, EnrolCall); else
 * OTHER_SERVER, and nothing may be sent there. */
ZHIBU_API int32_t zhibu_certificate_is(zhibu_in certificate, zhibu_in fingerprint,
                                       zhibu_out* error);

/* `table`: the name of a table of codes (option code_table of a field); `codes`: CodeTable. */
ZHIBU_API int32_t zhibu_codes(zhibu_in table, zhibu_out* codes, zhibu_out* error);

/* ---- The store: one file, sealed with `key` (32 bytes; the platform keeps it) ---- */

/* `options`: OpenOptions. */
ZHIBU_API int32_t zhibu_open(zhibu_in options, zhibu_in key, zhibu_handle* store, zhibu_out* error);
/* Returns once no callback of the store's runs, or will. */
ZHIBU_API int32_t zhibu_close(zhibu_handle store, zhibu_out* error);
/* Closes the file, so that nothing of it is locked while the app sleeps; what is asked of the store
 * meanwhile is SUSPENDED (FAILED_PRECONDITION). Streams are to be closed, too. */
ZHIBU_API int32_t zhibu_suspend(zhibu_handle store, zhibu_out* error);
ZHIBU_API int32_t zhibu_resume(zhibu_handle store, zhibu_out* error);
/* `key` (32 bytes) opens it from now on, and the one before does not. An app keeps both until this
 * has returned. */
ZHIBU_API int32_t zhibu_rekey(zhibu_handle store, zhibu_in key, zhibu_out* error);
ZHIBU_API int32_t zhibu_state(zhibu_handle store, zhibu_out* state, zhibu_out* error);
/* NOT_ENROLLED; DEVICE_WIPED: not any longer, because it was lost. */
ZHIBU_API int32_t zhibu_identity(zhibu_handle store, zhibu_out* identity, zhibu_out* error);

/* ---- Records ---- */

/* `ref`: RecordRef; `row`: Row. NOT_HERE. */
ZHIBU_API int32_t zhibu_get(zhibu_handle store, zhibu_in ref, zhibu_out* row, zhibu_out* error);
/* What zhibu_save and zhibu_commit take for a new record of a type. */
ZHIBU_API int32_t zhibu_new(zhibu_handle store, zhibu_in type, zhibu_out* seen, zhibu_out* error);
/* `query`: Query; `rows`: Rows. */
ZHIBU_API int32_t zhibu_list(zhibu_handle store, zhibu_in query, zhibu_out* rows, zhibu_out* error);
/* One record by itself: `seen` as it was read, `body` what it is to say. Durable when it returns.
 */
ZHIBU_API int32_t zhibu_save(zhibu_handle store, zhibu_in seen, zhibu_in body, zhibu_out* committed,
                             zhibu_out* error);
/* `edit`: EditRequest; `committed`: Committed. What others changed since it was seen is not undone.
 */
ZHIBU_API int32_t zhibu_commit(zhibu_handle store, zhibu_in edit, zhibu_out* committed,
                               zhibu_out* error);

/* `edit`: EditRequest; `tried`: Tried. What zhibu_commit would say of it, and what checks find that
 * do not refuse it. Nothing is written. */
ZHIBU_API int32_t zhibu_try(zhibu_handle store, zhibu_in edit, zhibu_out* tried, zhibu_out* error);

/* ---- What screens ask beside records ---- */

/* `request`: NamesRequest; `names`: Names. */
ZHIBU_API int32_t zhibu_names(zhibu_handle store, zhibu_in request, zhibu_out* names,
                              zhibu_out* error);
/* `request`: SearchRequest; `found`: FoundRecords. */
ZHIBU_API int32_t zhibu_search(zhibu_handle store, zhibu_in request, zhibu_out* found,
                               zhibu_out* error);
/* `edit`: EditWords; `rows`: Rows. */
ZHIBU_API int32_t zhibu_edit_words(zhibu_handle store, zhibu_in edit, zhibu_out* rows,
                                   zhibu_out* error);
/* Offices of this device's owner. */
ZHIBU_API int32_t zhibu_offices(zhibu_handle store, zhibu_out* offices, zhibu_out* error);
/* `request`: DueRequest; `due`: DueList, of what is for this device's owner to see to. */
ZHIBU_API int32_t zhibu_due(zhibu_handle store, zhibu_in request, zhibu_out* due, zhibu_out* error);

/* ---- Forms that are not saved yet, sealed like all else ---- */

/* `sketch`: Sketch; `place`: Place, under which it is kept from now on. */
ZHIBU_API int32_t zhibu_sketch_keep(zhibu_handle store, zhibu_in sketch, zhibu_out* place,
                                    zhibu_out* error);
ZHIBU_API int32_t zhibu_sketches(zhibu_handle store, zhibu_out* sketches, zhibu_out* error);
/* `place`: Place. One that is not there is as good as dropped. */
ZHIBU_API int32_t zhibu_sketch_drop(zhibu_handle store, zhibu_in place, zhibu_out* error);

/* Preferences, of whoever looks at the pages of this device; empty: they have not said. */
ZHIBU_API int32_t zhibu_preferences(zhibu_handle store, zhibu_out* preferences, zhibu_out* error);
/* `preferences`: Preferences. */
ZHIBU_API int32_t zhibu_preferences_keep(zhibu_handle store, zhibu_in preferences,
                                         zhibu_out* error);

/* ---- Steps that several take, each on their own phone: durable when they return ---- */

/* `step`: StayStep. */
ZHIBU_API int32_t zhibu_stay_step(zhibu_handle store, zhibu_in step, zhibu_out* committed,
                                  zhibu_out* error);
/* `step`: TransferStep. */
ZHIBU_API int32_t zhibu_transfer_step(zhibu_handle store, zhibu_in step, zhibu_out* committed,
                                      zhibu_out* error);
/* `step`: PairStep. */
ZHIBU_API int32_t zhibu_pair_step(zhibu_handle store, zhibu_in step, zhibu_out* committed,
                                  zhibu_out* error);

/* ---- A list that is watched ---- */

/* `query`: Query. After an event, zhibu_watch_next says what has become otherwise. */
ZHIBU_API int32_t zhibu_watch_open(zhibu_handle store, zhibu_in query, zhibu_handle* watch,
                                   zhibu_out* error);
/* Difference: first the whole list, as inserted. Empty where nothing is otherwise. */
ZHIBU_API int32_t zhibu_watch_next(zhibu_handle watch, zhibu_out* difference, zhibu_out* error);
ZHIBU_API int32_t zhibu_watch_close(zhibu_handle watch, zhibu_out* error);

/* ---- What waits, came back, or waits for others ---- */

/* `edits`: UnsentEdits. */
ZHIBU_API int32_t zhibu_unsent(zhibu_handle store, zhibu_out* edits, zhibu_out* error);
/* `edits`: SetAsideEdits. */
ZHIBU_API int32_t zhibu_set_aside(zhibu_handle store, zhibu_out* edits, zhibu_out* error);
/* `place`: Place. The edit made again on what is shown now, as Rows to be amended and committed
 * together; what was set aside goes with that commit. */
ZHIBU_API int32_t zhibu_amend(zhibu_handle store, zhibu_in place, zhibu_out* rows,
                              zhibu_out* error);
ZHIBU_API int32_t zhibu_discard(zhibu_handle store, zhibu_in place, zhibu_out* error);
/* `edits`: HeldEdits, of others, which wait for the decision of this device's owner. */
ZHIBU_API int32_t zhibu_held(zhibu_handle store, zhibu_out* edits, zhibu_out* error);
/* `seen`: of HeldEdit.row. */
ZHIBU_API int32_t zhibu_held_take(zhibu_handle store, zhibu_in seen, zhibu_out* committed,
                                  zhibu_out* error);
/* `request`: ReturnRequest. */
ZHIBU_API int32_t zhibu_held_return(zhibu_handle store, zhibu_in request, zhibu_out* committed,
                                    zhibu_out* error);
/* Two people wrote the same without having seen each other: open ConflictNotes, as Rows. */
ZHIBU_API int32_t zhibu_conflicts(zhibu_handle store, zhibu_out* rows, zhibu_out* error);
ZHIBU_API int32_t zhibu_conflict_settle(zhibu_handle store, zhibu_in seen, zhibu_out* committed,
                                        zhibu_out* error);

/* ---- Check-in and pass, without a network on either phone ---- */

/* `activity`: the id of a Meeting; `shown`: ShownCheckIn. */
ZHIBU_API int32_t zhibu_check_in_show(zhibu_handle store, zhibu_in activity, zhibu_out* shown,
                                      zhibu_out* error);
/* `text`: what the QR holds. */
ZHIBU_API int32_t zhibu_check_in_scan(zhibu_handle store, zhibu_in text, zhibu_out* committed,
                                      zhibu_out* error);
/* `request`: CheckInByHand. */
ZHIBU_API int32_t zhibu_check_in_by_hand(zhibu_handle store, zhibu_in request, zhibu_out* committed,
                                         zhibu_out* error);
/* `pass`: NewPass. The server signs it at the next session. */
ZHIBU_API int32_t zhibu_pass_issue(zhibu_handle store, zhibu_in pass, zhibu_out* committed,
                                   zhibu_out* error);
ZHIBU_API int32_t zhibu_pass_revoke(zhibu_handle store, zhibu_in seen, zhibu_out* committed,
                                    zhibu_out* error);
/* `member`: an id; `shown`: ShownPass. */
ZHIBU_API int32_t zhibu_pass_show(zhibu_handle store, zhibu_in member, zhibu_out* shown,
                                  zhibu_out* error);
/* `text`: what the QR holds; `checked`: CheckedPass. */
ZHIBU_API int32_t zhibu_pass_verify(zhibu_handle store, zhibu_in text, zhibu_out* checked,
                                    zhibu_out* error);

/* ---- Unsent edits that travel by hand, as files ---- */

/* `parcel`: Parcel. COURIER_NOTHING: there is nothing such. */
ZHIBU_API int32_t zhibu_parcel_export(zhibu_handle store, zhibu_out* parcel, zhibu_out* error);
/* `file`: the answers that came back; `receipts`: Receipts. */
ZHIBU_API int32_t zhibu_parcel_receive(zhibu_handle store, zhibu_in file, zhibu_out* receipts,
                                       zhibu_out* error);

/* ---- Events ---- */

/* `notify` says that zhibu_events_next has something, and nothing else; many happenings may be one
 * call. It comes on a thread of the core's, one call at a time, never before the handle is there
 * nor after zhibu_events_close has returned (where that is called from inside it: after it returns
 * itself). `free_user`, which may be NULL, is called once, after the last of them; where this
 * fails, `user` stays the caller's. */
ZHIBU_API int32_t zhibu_events_open(zhibu_handle store, void (*notify)(void* user), void* user,
                                    void (*free_user)(void* user), zhibu_handle* events,
                                    zhibu_out* error);
/* `next`: Events; empty where nothing has happened since. */
ZHIBU_API int32_t zhibu_events_next(zhibu_handle events, zhibu_out* next, zhibu_out* error);
ZHIBU_API int32_t zhibu_events_close(zhibu_handle events, zhibu_out* error);

/* ---- Enrolment, once: one call of zhibu.sync.v1.Sync/Enrol ---- */

/* `options`: EnrolOptions; `call`: EnrolCall. */
ZHIBU_API int32_t zhibu_enrol_open(zhibu_handle store, zhibu_in options, zhibu_handle* enrolment,
                                   zhibu_out* call, zhibu_out* error);
/* `reply`: the bytes that the server answered with. */
ZHIBU_API int32_t zhibu_enrol_reply(zhibu_handle enrolment, zhibu_in reply, zhibu_out* error);
/* `end`: StreamEnd of the call, where it did not succeed. Never 0: what it returns and gives as
 * `error` is what to say to the user. The call may be made again with the same bytes. */
ZHIBU_API int32_t zhibu_enrol_refused(zhibu_handle enrolment, zhibu_in end, zhibu_out* error);
ZHIBU_API int32_t zhibu_enrol_close(zhibu_handle enrolment, zhibu_out* error);

/* ---- In step with the server: frames in and out, whoever moves them ---- */

/* `options`: SessionOptions. */
ZHIBU_API int32_t zhibu_session_open(zhibu_handle store, zhibu_in options, zhibu_handle* session,
                                     zhibu_out* error);
/* What to do next: Advice. Asked after each of the functions below, and after an event. */
ZHIBU_API int32_t zhibu_session_advice(zhibu_handle session, zhibu_out* advice, zhibu_out* error);
/* The stream that was asked for is open. */
ZHIBU_API int32_t zhibu_session_connected(zhibu_handle session, zhibu_out* error);
/* A frame, to be sent byte for byte: it is signed as it stands. Empty: there is none. */
ZHIBU_API int32_t zhibu_session_next(zhibu_handle session, zhibu_out* frame, zhibu_out* error);
ZHIBU_API int32_t zhibu_session_receive(zhibu_handle session, zhibu_in frame, zhibu_out* error);
/* `end`: StreamEnd. The stream has ended, or could not be opened. What a stream says once another
 * has been asked for is passed over, if `end` names it. */
ZHIBU_API int32_t zhibu_session_ended(zhibu_handle session, zhibu_in end, zhibu_out* error);
/* There may be a network again, or the user asks for it: WAIT is over. */
ZHIBU_API int32_t zhibu_session_hurry(zhibu_handle session, zhibu_out* error);
/* `ask`: a zhibu.sync.v1.Ask, about records that are not held here. Answered by a page. */
ZHIBU_API int32_t zhibu_session_ask(zhibu_handle session, zhibu_in ask, zhibu_out* error);
/* `page`: zhibu.sync.v1.Page, in the order of the questions; empty where none has come. */
ZHIBU_API int32_t zhibu_session_page(zhibu_handle session, zhibu_out* page, zhibu_out* error);
ZHIBU_API int32_t zhibu_session_close(zhibu_handle session, zhibu_out* error);

#ifdef __cplusplus
}
#endif

#endif /* ZHIBU_CLIENT_CORE_C_ZHIBU_H_ */
