// delete_stale_flows(): the kernel's table of connections, read and edited through ctnetlink.

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "network/service_proxy/kernel_adapter.h"

namespace stead::network::service_proxy {
namespace {

template <class T, void (*free_function)(T*)>
struct Freer {
  void operator()(T* object) const { free_function(object); }
};
using Socket = std::unique_ptr<nl_sock, Freer<nl_sock, nl_socket_free>>;
using Message = std::unique_ptr<nl_msg, Freer<nl_msg, nlmsg_free>>;

constexpr size_t kBufferBytes = 64 * 1024;

Error netlink_error(const std::string& what, int code) {
  return make_error(Reason::kInternal, "conntrack: " + what + ": " + nl_geterror(code));
}

Message make_message(int type, int flags) {
  Message message(nlmsg_alloc());
  nlmsg_put(message.get(), NL_AUTO_PORT, NL_AUTO_SEQ, (NFNL_SUBSYS_CTNETLINK << 8) | type, sizeof(nfgenmsg),
            NLM_F_REQUEST | flags);
  auto* header = static_cast<nfgenmsg*>(nlmsg_data(nlmsg_hdr(message.get())));
  *header = {AF_INET, NFNETLINK_V0, 0};
  return message;
}

std::string address_text(const nlattr* attribute) {
  char text[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, nla_data(attribute), text, sizeof text);
  return text;
}

// One direction of a flow.
struct Tuple {
  std::string source;
  std::string destination;
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  uint8_t protocol = 0;
};

Tuple read_tuple(nlattr* attribute) {
  Tuple tuple;
  nlattr* parts[CTA_TUPLE_MAX + 1] = {};
  if (attribute == nullptr || nla_parse_nested(parts, CTA_TUPLE_MAX, attribute, nullptr) < 0) return tuple;
  nlattr* addresses[CTA_IP_MAX + 1] = {};
  nlattr* ports[CTA_PROTO_MAX + 1] = {};
  if (parts[CTA_TUPLE_IP] == nullptr || nla_parse_nested(addresses, CTA_IP_MAX, parts[CTA_TUPLE_IP], nullptr) < 0 ||
      parts[CTA_TUPLE_PROTO] == nullptr ||
      nla_parse_nested(ports, CTA_PROTO_MAX, parts[CTA_TUPLE_PROTO], nullptr) < 0) {
    return tuple;
  }
  if (addresses[CTA_IP_V4_SRC] != nullptr) tuple.source = address_text(addresses[CTA_IP_V4_SRC]);
  if (addresses[CTA_IP_V4_DST] != nullptr) tuple.destination = address_text(addresses[CTA_IP_V4_DST]);
  if (ports[CTA_PROTO_NUM] != nullptr) tuple.protocol = nla_get_u8(ports[CTA_PROTO_NUM]);
  if (ports[CTA_PROTO_SRC_PORT] != nullptr) tuple.source_port = ntohs(nla_get_u16(ports[CTA_PROTO_SRC_PORT]));
  if (ports[CTA_PROTO_DST_PORT] != nullptr) tuple.destination_port = ntohs(nla_get_u16(ports[CTA_PROTO_DST_PORT]));
  return tuple;
}

// The answers' source is where the flow goes in truth.
bool is_stale(const Tuple& original, const Tuple& reply, const UdpFronts& fronts) {
  if (original.protocol != IPPROTO_UDP) return false;
  const Target target{reply.source, reply.source_port};
  auto front = fronts.find({original.destination, original.destination_port});
  if (front != fronts.end()) return !front->second.contains(target);
  // On a node port, only what was forwarded: anything else with this port number is none of ours.
  const bool forwarded = reply.source != original.destination || reply.source_port != original.destination_port;
  front = fronts.find({"", original.destination_port});
  return forwarded && front != fronts.end() && !front->second.contains(target);
}

struct Search {
  const UdpFronts& fronts;
  std::vector<Message> deletions;
};

int collect(nl_msg* message, void* argument) {
  auto& search = *static_cast<Search*>(argument);
  nlattr* attributes[CTA_MAX + 1] = {};
  if (nlmsg_parse(nlmsg_hdr(message), sizeof(nfgenmsg), attributes, CTA_MAX, nullptr) < 0) return NL_SKIP;
  if (!is_stale(read_tuple(attributes[CTA_TUPLE_ORIG]), read_tuple(attributes[CTA_TUPLE_REPLY]), search.fronts)) {
    return NL_OK;
  }
  Message deletion = make_message(IPCTNL_MSG_CT_DELETE, NLM_F_ACK);
  // The id as well as the tuple: not a newer flow of the same client.
  for (int type : {CTA_TUPLE_ORIG, CTA_ID, CTA_ZONE}) {
    nlattr* attribute = attributes[type];
    if (attribute == nullptr) continue;
    const int flags = type == CTA_TUPLE_ORIG ? NLA_F_NESTED : 0;
    nla_put(deletion.get(), type | flags, nla_len(attribute), nla_data(attribute));
  }
  search.deletions.push_back(std::move(deletion));
  return NL_OK;
}

}  // namespace

Result<void> delete_stale_flows(const UdpFronts& fronts) {
  Socket socket(nl_socket_alloc());
  if (!socket) return make_error(Reason::kInternal, "out of memory");
  if (int code = nl_connect(socket.get(), NETLINK_NETFILTER); code < 0) return netlink_error("connect", code);
  nl_socket_set_buffer_size(socket.get(), kBufferBytes, 0);
  Search search{fronts, {}};
  nl_socket_modify_cb(socket.get(), NL_CB_VALID, NL_CB_CUSTOM, collect, &search);
  Message dump = make_message(IPCTNL_MSG_CT_GET, NLM_F_DUMP);
  if (int code = nl_send_auto(socket.get(), dump.get()); code < 0) return netlink_error("list", code);
  if (int code = nl_recvmsgs_default(socket.get()); code < 0) return netlink_error("list", code);
  for (const Message& deletion : search.deletions) {
    int code = nl_send_auto(socket.get(), deletion.get());
    if (code >= 0) code = nl_wait_for_ack(socket.get());
    // Gone by itself meanwhile is gone too.
    if (code < 0 && code != -NLE_OBJ_NOTFOUND) return netlink_error("delete", code);
  }
  return {};
}

}  // namespace stead::network::service_proxy
