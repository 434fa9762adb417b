/* onnx.hpp - the network engine for C++; kldve.hpp includes it where libkldve-onnx is installed. */
#ifndef KLDVE_ONNX_HPP
#define KLDVE_ONNX_HPP

#include <kldve/kldve.hpp>
#include <kldve/onnx.h>

namespace kldve
{
inline namespace KLDVE_HPP_MODE
{

using onnx_options = sized<kldve_onnx_options>;

/** What a network file cannot say about itself.  Further getters: onnx.h, with get(). */
class card : public detail::object<kldve_card, kldve_card_free>
{
  public:
    using object::object;
    static outcome<card> load(const context &c, const std::string &path)
    {
        kldve_card *made = nullptr;
        kldve_status status = kldve_card_load(c.get(), path.c_str(), &made);

        return detail::give(c.shared().get(), status, card(c.shared(), made));
    }
    /** @param folder  Of the files that it names. */
    static outcome<card> parse(const context &c, const std::string &json,
                               const std::string &folder = ".")
    {
        kldve_card *made = nullptr;
        kldve_status status =
            kldve_card_parse(c.get(), json.data(), json.size(), folder.c_str(), &made);

        return detail::give(c.shared().get(), status, card(c.shared(), made));
    }
    /* NULL: it does not say. */
    const char *layer() const
    {
        return kldve_card_layer(get());
    }
    const char *logits() const
    {
        return kldve_card_logits(get());
    }
    const char *select() const
    {
        return kldve_card_select(get());
    }
    /** Path of the labels. */
    const char *labels() const
    {
        return kldve_card_labels(get());
    }
    input_spec input() const
    {
        input_spec spec;

        (void)(kldve_card_input(get(), &spec) == KLDVE_OK);
        return spec;
    }
};

/** A loaded network.  Threads may share it; each opens an explainer from a context of its own.
 *  Explainers keep it alive. */
class network
{
  public:
    network() = default;
    static outcome<network> load(const context &c, const std::string &path,
                                 const kldve_onnx_options &how = onnx_options())
    {
        kldve_onnx *made = nullptr;
        kldve_status status = kldve_onnx_load(c.get(), path.c_str(), &how, &made);

        return detail::give(c.shared().get(), status, network(c, made));
    }
    /** @param bytes  Borrowed: they stay unchanged as long as the network or an explainer lives. */
    static outcome<network> load(const context &c, span<const unsigned char> bytes,
                                 const kldve_onnx_options &how = onnx_options())
    {
        kldve_onnx *made = nullptr;
        kldve_status status =
            kldve_onnx_load_memory(c.get(), bytes.data(), bytes.size(), &how, &made);

        return detail::give(c.shared().get(), status, network(c, made));
    }
    const kldve_onnx *get() const
    {
        return made_.get();
    }
    explicit operator bool() const
    {
        return made_ != nullptr;
    }

    outcome<explainer> open(const context &c) const
    {
        kldve_explainer *made = nullptr;
        kldve_status status = kldve_explainer_new(c.get(), kldve_onnx_backend(), get(), &made);

        return detail::give(c.shared().get(), status, explainer(c.shared(), made, made_));
    }
    /** Names are borrowed from the network. */
    sized<kldve_onnx_choice> chosen() const
    {
        sized<kldve_onnx_choice> choice;

        (void)(kldve_onnx_chosen(get(), &choice) == KLDVE_OK);
        return choice;
    }
    std::vector<sized<kldve_onnx_tensor>> tensors() const
    {
        std::vector<sized<kldve_onnx_tensor>> all;
        sized<kldve_onnx_tensor> one;

        while (kldve_onnx_tensor_at(get(), static_cast<std::int32_t>(all.size()), &one) == KLDVE_OK)
            all.push_back(one);
        return all;
    }
    std::vector<const char *> notes() const
    {
        return detail::texts(get(), &kldve_onnx_note);
    }

  private:
    /* The context lives as long as what was made from it. */
    network(const context &c, kldve_onnx *made)
    {
        std::shared_ptr<detail::state> s = c.shared();

        made_ = std::shared_ptr<kldve_onnx>(made, [s](kldve_onnx *net) { kldve_onnx_free(net); });
    }
    std::shared_ptr<kldve_onnx> made_;
};

/** The shortest way to an explainer: a network with the card and labels beside it. */
inline outcome<explainer> open(const context &c, const std::string &path,
                               const kldve_onnx_options &how = onnx_options())
{
    kldve_explainer *made = nullptr;
    kldve_status status = kldve_onnx_explainer(c.get(), path.c_str(), &how, &made);

    return detail::give(c.shared().get(), status, explainer(c.shared(), made));
}

/** The built-in demonstration network. */
inline outcome<explainer> open_demo(const context &c)
{
    kldve_explainer *made = nullptr;
    kldve_status status = kldve_onnx_explainer(c.get(), nullptr, nullptr, &made);

    return detail::give(c.shared().get(), status, explainer(c.shared(), made));
}

} // namespace KLDVE_HPP_MODE
} // namespace kldve
#endif
