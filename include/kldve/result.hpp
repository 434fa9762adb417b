/* result.hpp - what kldve.hpp stands on: outcomes of calls, views of arrays, owners of objects.
 *
 * Without exceptions (the default) a call gives a result<T>, which holds a status, the message of a
 * failure, and the value.  With KLDVE_HPP_EXCEPTIONS defined before the first include it gives the
 * T itself, and throws kldve::error.  outcome<T> is whichever of the two it is.  Files of one
 * program may differ in this: each way has an inline namespace of its own. */
#ifndef KLDVE_RESULT_HPP
#define KLDVE_RESULT_HPP

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>
#if defined(__has_include) && __cplusplus >= 202002L
#if __has_include(<span>)
#include <span>
#endif
#endif

#include <kldve/kldve.h>

#if defined(__cpp_exceptions) || defined(__EXCEPTIONS) || defined(_CPPUNWIND)
#define KLDVE_HPP_CATCHES
#elif defined(KLDVE_HPP_EXCEPTIONS)
#error "KLDVE_HPP_EXCEPTIONS needs a compiler that has exceptions turned on"
#endif
#ifdef KLDVE_HPP_EXCEPTIONS
#define KLDVE_HPP_MODE throwing
#else
#define KLDVE_HPP_MODE returning
#endif
#if __cplusplus >= 201703L
#define KLDVE_HPP_NODISCARD [[nodiscard]]
#else
#define KLDVE_HPP_NODISCARD
#endif

namespace kldve
{
inline namespace KLDVE_HPP_MODE
{

#ifdef __cpp_lib_span
template <class T> using span = std::span<T>;
#else
/** As much of std::span as is needed here: a borrowed array. */
template <class T> class span
{
  public:
    span() : data_(nullptr), size_(0)
    {
    }
    span(T *data, std::size_t size) : data_(data), size_(size)
    {
    }
    template <std::size_t N> span(T (&array)[N]) : data_(array), size_(N)
    {
    }
    /** Whatever has data() and size(): std::vector, std::array, another span. */
    template <class C, class = decltype(static_cast<T *>(std::declval<C &>().data()))>
    span(C &&of) : data_(of.data()), size_(of.size())
    {
    }
    T *data() const
    {
        return data_;
    }
    std::size_t size() const
    {
        return size_;
    }
    bool empty() const
    {
        return size_ == 0;
    }
    T &operator[](std::size_t i) const
    {
        return data_[i];
    }
    T *begin() const
    {
        return data_;
    }
    T *end() const
    {
        return data_ + size_;
    }

  private:
    T *data_;
    std::size_t size_;
};
#endif

/** A failure as an exception: what() is the message. */
class error : public std::runtime_error
{
  public:
    error(kldve_status status, const std::string &message)
        : std::runtime_error(message), status_(status)
    {
    }
    kldve_status status() const noexcept
    {
        return status_;
    }

  private:
    kldve_status status_;
};

/** A value or the reason why there is none.  Test it before you use the value; that of a failure is
 *  an empty object, which every call of the library answers with a failure of its own. */
template <class T> class KLDVE_HPP_NODISCARD result
{
  public:
    result(T value) : status_(KLDVE_OK), value_(std::move(value))
    {
    }
    result(kldve_status status, std::string message)
        : status_(status), message_(std::move(message)), value_()
    {
    }
    explicit operator bool() const
    {
        return status_ == KLDVE_OK;
    }
    kldve_status status() const
    {
        return status_;
    }
    const std::string &message() const
    {
        return message_;
    }
    T &value() &
    {
        return value_;
    }
    const T &value() const &
    {
        return value_;
    }
    T &&value() &&
    {
        return std::move(value_);
    }
    T &operator*()
    {
        return value_;
    }
    const T &operator*() const
    {
        return value_;
    }
    T *operator->()
    {
        return &value_;
    }
    const T *operator->() const
    {
        return &value_;
    }

  private:
    kldve_status status_;
    std::string message_;
    T value_;
};

template <> class KLDVE_HPP_NODISCARD result<void>
{
  public:
    result() : status_(KLDVE_OK)
    {
    }
    result(kldve_status status, std::string message) : status_(status), message_(std::move(message))
    {
    }
    explicit operator bool() const
    {
        return status_ == KLDVE_OK;
    }
    kldve_status status() const
    {
        return status_;
    }
    const std::string &message() const
    {
        return message_;
    }

  private:
    kldve_status status_;
    std::string message_;
};

#ifdef KLDVE_HPP_EXCEPTIONS
template <class T> using outcome = T;
#else
template <class T> using outcome = result<T>;
#endif

/** A struct of the C API with its size filled in and zeros, which mean defaults, elsewhere. */
template <class S> struct sized : S {
    sized() : S()
    {
        this->struct_size = sizeof(S);
    }
};

namespace detail
{

/* What a context owns besides the C object, at an address that does not move. */
struct state {
    kldve_ctx *ctx;
    std::function<bool(const char *, std::int64_t, std::int64_t)> progress;
    std::function<void(std::int32_t, const char *)> log;
#ifdef KLDVE_HPP_CATCHES
    std::exception_ptr thrown; /* by a callback; it must not cross C */
#endif
    state() : ctx(nullptr)
    {
    }
    state(const state &) = delete;
    state &operator=(const state &) = delete;
    ~state()
    {
        kldve_ctx_free(ctx);
    }
};

/* Run a callback; false if it threw. */
template <class F> bool guarded(state &s, F &&call) noexcept
{
#ifdef KLDVE_HPP_CATCHES
    try {
        call();
    } catch (...) {
        s.thrown = std::current_exception();
        return false;
    }
#else
    (void)s;
    call();
#endif
    return true;
}

/* What a callback threw goes on to the caller of the library. */
inline void rethrow(state &s)
{
#ifdef KLDVE_HPP_CATCHES
    if (s.thrown) {
        std::exception_ptr thrown = std::move(s.thrown);

        s.thrown = nullptr;
        std::rethrow_exception(thrown);
    }
#else
    (void)s;
#endif
}

template <class T> outcome<T> failure(kldve_status status, const char *message)
{
    if (!message || !*message)
        message = kldve_status_name(status);
#ifdef KLDVE_HPP_EXCEPTIONS
    throw error(status, message);
#else
    return outcome<T>(status, message);
#endif
}

template <class T> outcome<T> give(state *s, kldve_status status, T value)
{
    if (s)
        rethrow(*s);
    if (status != KLDVE_OK)
        return failure<T>(status, kldve_ctx_message(s ? s->ctx : nullptr));
    return outcome<T>(std::move(value));
}

inline outcome<void> give(state *s, kldve_status status)
{
    if (s)
        rethrow(*s);
    if (status != KLDVE_OK)
        return failure<void>(status, kldve_ctx_message(s ? s->ctx : nullptr));
    return outcome<void>();
}

/* A C object and what it stands on, which it keeps alive: the context that it was made from, and
 * what else is given. */
template <class T, void (*Free)(T *)> class object
{
  public:
    object() = default;
    object(std::shared_ptr<state> s, T *made, std::shared_ptr<const void> keeps = nullptr)
        : state_(std::move(s)), keeps_(std::move(keeps)), made_(made)
    {
    }
    object(object &&) = default;
    /* What was here before is freed first, as long as its context is there. */
    object &operator=(object &&other) noexcept
    {
        made_ = std::move(other.made_);
        keeps_ = std::move(other.keeps_);
        state_ = std::move(other.state_);
        return *this;
    }
    /** The C object, for calls that have no name here. */
    T *get() const
    {
        return made_.get();
    }
    explicit operator bool() const
    {
        return made_ != nullptr;
    }

  protected:
    struct deleter {
        void operator()(T *made) const
        {
            Free(made);
        }
    };
    kldve_ctx *ctx() const
    {
        return state_ ? state_->ctx : nullptr;
    }
    std::shared_ptr<state> state_; /* each outlives what follows */
    std::shared_ptr<const void> keeps_;
    std::unique_ptr<T, deleter> made_;
};

/* One of the C API's getters of arrays; nothing where there is no such array. */
template <class Value, class Object>
span<const Value> array(const Object *of,
                        kldve_status (*getter)(const Object *, const Value **, std::int32_t *))
{
    const Value *values = nullptr;
    std::int32_t count = 0;

    if (getter(of, &values, &count) != KLDVE_OK)
        return span<const Value>();
    return span<const Value>(values, static_cast<std::size_t>(count));
}

/* One of its getters of texts by number; NULL past the last. */
template <class Object>
const char *text(const Object *of, std::int32_t index,
                 kldve_status (*getter)(const Object *, std::int32_t, const char **))
{
    const char *found = nullptr;

    return getter(of, index, &found) == KLDVE_OK ? found : nullptr;
}

template <class Object, class Getter>
std::vector<const char *> texts(const Object *of, Getter getter)
{
    std::vector<const char *> all;

    while (const char *one = text(of, static_cast<std::int32_t>(all.size()), getter))
        all.push_back(one);
    return all;
}

/* The C pointers of several objects. */
template <class T, class Object>
std::vector<const T *> pointers(const std::vector<const Object *> &of)
{
    std::vector<const T *> all;

    for (const Object *one : of)
        all.push_back(one ? one->get() : nullptr);
    return all;
}

} // namespace detail
} // namespace KLDVE_HPP_MODE
} // namespace kldve
#endif
