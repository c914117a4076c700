// Lists of 10,000 sealed records on a device, watched while records change.
#include <filesystem>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client-core/query/live_list.h"
#include "tests/bench/filling.h"
#include "tests/bench/report.h"
#include "tests/bench/site.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::bench {
namespace {

using client::Changes;
using client::LiveList;
using client::Selection;
using records::v1::Contact;

constexpr size_t kWindow = 50;

class Phone {
 public:
  explicit Phone(const Options& options)
      : contacts_(options.quick ? 50 : 10'000), folder_(absl::StrCat(options.folder, "/lists")) {
    std::filesystem::create_directory(folder_);
    store_ = OpenDevice(absl::StrCat(folder_, "/device.db"));
    Filling filling(store_.get());
    for (int i = 0; i < contacts_; ++i) filling.Add(MakeContact(branch_, branch_, i));
    filling.Commit();
  }

  int contacts() const { return contacts_; }

  double ReadAll() {
    const Stopwatch watch;
    Check(CountRecords(*store_, Contact::descriptor()) == static_cast<uint64_t>(contacts_), "all");
    return watch.seconds();
  }

  double First() {
    LiveList list(store_.get(), Newest(), kWindow);
    const Stopwatch watch;
    const auto first = Must(list.Next(), "first");
    const double seconds = watch.seconds();
    Check(first && first->selected == static_cast<size_t>(contacts_), "all are selected");
    return seconds;
  }

  void Watch(int lists) {
    for (int i = 0; i < lists; ++i) {
      lists_.push_back(std::make_unique<LiveList>(store_.get(), Newest(), kWindow));
      Check(lists_.back()->Next().status(), "first");
    }
    subscription_ = store_->Subscribe([this](const Changes& changes) {
      for (const auto& list : lists_) list->Happened(changes);
    });
  }

  double Commit() {
    client::Draft draft = store_->New<Contact>();
    draft.message<Contact>() =
        MakeContact(branch_, branch_, static_cast<uint64_t>(contacts_ + ++commits_));
    const Stopwatch watch;
    Check(store_->Commit({&draft}).status(), "commit");
    return watch.seconds();
  }

  // After a commit: what all lists have to say of it.
  double Next() {
    const Stopwatch watch;
    for (const auto& list : lists_) {
      const auto then = Must(list->Next(), "next");
      Check(then && then->inserted.size() + then->changed.size() > 0, "the commit is told");
    }
    return watch.seconds();
  }

 private:
  Selection Newest() const {
    return Must(Selection::Compile(store_->schema(),
                                   {.type = store_->schema().Find(Contact::descriptor())->number,
                                    .order = {{.field = "at", .descending = true}}}),
                "selection");
  }

  const int contacts_;
  const std::string folder_;
  const Id branch_ = SystemEnvironment().NewId();
  std::unique_ptr<client::Store> store_;
  std::vector<std::unique_ptr<LiveList>> lists_;
  client::Store::Subscription subscription_;
  int commits_ = 0;
};

}  // namespace

void MeasureLists(const Options& options, Report* report) {
  Phone phone(options);
  const Times first = Alternate(
      options.rounds, [&] { return phone.ReadAll(); }, [&] { return phone.First(); });
  report->AddRatio("lists.first", Aim{true, 0.5}, first, phone.contacts(), "records",
                   "a list is opened; floor: those records read and parsed");
  report->AddValue("lists.first_ms", Aim{false, 30}, phone.First() * 1000, "of 10,000, 50 shown");
  phone.Watch(10);
  double commit = 0;
  double next = 0;
  const int rounds = 20;
  for (int i = 0; i < rounds; ++i) {
    commit += phone.Commit();
    next += phone.Next();
  }
  report->AddValue("lists.commit_ms", std::nullopt, commit * 1000 / rounds,
                   "a durable edit while ten lists are watched");
  report->AddValue("lists.next_ms", Aim{false, 10}, next * 1000 / rounds,
                   "what ten lists have to say of it");
}

}  // namespace zhibu::bench
