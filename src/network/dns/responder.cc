#include "network/dns/responder.h"

#include <utility>

namespace stead::network::dns {
namespace {

constexpr size_t kHeldMax = 1024;

size_t bytes_max_for(const Query& query, bool over_tcp) { return over_tcp ? kMessageBytesMax : query.udp_bytes_max; }

std::string failure(const Query& query, Rcode rcode) {
  Reply reply;
  reply.rcode = rcode;
  reply.authoritative = false;
  return write_reply(query, reply, kUdpBytesPlain);
}

}  // namespace

void Responder::handle(std::string_view packet, bool over_tcp, std::function<void(std::string)> reply) {
  ParsedQuery parsed = parse_query(packet);
  if (!parsed.query) {
    if (!parsed.refusal.empty()) reply(std::move(parsed.refusal));
    return;
  }
  Query& query = *parsed.query;
  if (query.unknown_edns_version) return reply(write_bad_version(query));
  Answer answer = index_.resolve(query.name, static_cast<Type>(query.type));
  if (answer.outcome == Answer::Outcome::kNotOurs) return forward(query, packet, over_tcp, std::move(reply));
  if (!ready_ && holding_ && held_.size() < kHeldMax) {
    held_.push_back({std::string(packet), over_tcp, std::move(reply)});
    return;
  }
  if (!ready_) return reply(failure(query, Rcode::kServerFailure));
  if (!answer.outside_alias.empty() && forwarder_->has_resolvers()) {
    return resolve_alias(std::move(query), std::move(answer), over_tcp, std::move(reply));
  }
  Reply form;
  form.rcode = answer.outcome == Answer::Outcome::kNoSuchName ? Rcode::kNoSuchName : Rcode::kNoError;
  form.answer = &answer;
  form.serial = serial_;
  form.rotation = rotation_++;
  reply(write_reply(query, form, bytes_max_for(query, over_tcp)));
}

void Responder::set_ready() {
  ready_ = true;
  stop_holding();
}

void Responder::stop_holding() {
  holding_ = false;
  for (Held& one : std::exchange(held_, {})) handle(one.packet, one.over_tcp, std::move(one.reply));
}

void Responder::forward(const Query& query, std::string_view packet, bool over_tcp,
                        std::function<void(std::string)> reply) {
  if (!forwarder_->has_resolvers()) {
    // Without a resolver only this much is known: single labels, the last guess of a search list, have no addresses
    // anywhere. Saying so spares clients the time-out that some wait for after a failure.
    return reply(failure(query, query.name.size() == 1 ? Rcode::kNoSuchName : Rcode::kServerFailure));
  }
  forwarder_->forward(std::string(packet), over_tcp,
                      [query, limit = bytes_max_for(query, over_tcp), reply = std::move(reply)](std::string answer) {
                        if (answer.empty()) return reply(failure(query, Rcode::kServerFailure));
                        // The client's spelling of the name comes back to it (0x20 randomisation).
                        if (answer.size() >= kHeaderBytes + query.question.size() && answer[5] == 1) {
                          answer.replace(kHeaderBytes, query.question.size(), query.question);
                        }
                        if (answer.size() > limit) {
                          answer = failure(query, rcode_of(answer));
                          answer[2] = static_cast<char>(answer[2] | 0x02);  // truncated: ask over TCP
                        }
                        reply(std::move(answer));
                      });
}

void Responder::resolve_alias(Query query, Answer answer, bool over_tcp, std::function<void(std::string)> reply) {
  std::string question = write_query(query.id, name_of(answer.outside_alias), query.type);
  size_t limit = bytes_max_for(query, over_tcp);
  forwarder_->forward(std::move(question), true,
                      [query = std::move(query), answer = std::move(answer), serial = serial_, limit,
                       reply = std::move(reply)](const std::string& other) {
                        if (other.empty()) return reply(failure(query, Rcode::kServerFailure));
                        Reply form;
                        // RFC 6604: the code speaks of the last name of the chain.
                        form.rcode = rcode_of(other);
                        form.answer = &answer;
                        form.alias_reply = other;
                        form.serial = serial;
                        reply(write_reply(query, form, limit));
                      });
}

}  // namespace stead::network::dns
